"""Optional parts that nothing else imports."""
