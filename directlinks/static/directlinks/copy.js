/* Buttons that copy an address. Without this file they stay hidden, and nothing else is missing. */
"use strict";
{
    const announce = document.createElement("div");
    announce.className = "dl-said";
    announce.setAttribute("role", "status");

    const byHand = text => {
        // Pages that are not served over HTTPS have no clipboard.
        const area = document.createElement("textarea");
        area.value = text;
        document.body.append(area);
        area.select();
        const copied = document.execCommand("copy");
        area.remove();
        return copied;
    };

    // If a script may not copy, show and select the text, so that the keyboard can.
    const select = (button, text) => {
        let field = button.nextElementSibling;
        if (!field || !field.matches(".dl-by-hand")) {
            field = document.createElement("input");
            field.className = "dl-by-hand";
            field.readOnly = true;
            field.setAttribute("aria-label", button.getAttribute("aria-label"));
            button.after(field);
        }
        field.value = text;
        field.focus();
        field.select();
    };

    const copy = async button => {
        const text = button.dataset.copy;
        let copied = true;
        try {
            await navigator.clipboard.writeText(text);
        } catch {
            copied = byHand(text);
            button.focus();
        }
        if (!copied) {
            select(button, text);
        }
        const said = copied ? button.dataset.copied : button.dataset.failed;
        button.dataset.label ||= button.textContent;
        button.textContent = said;
        setTimeout(() => { button.textContent = button.dataset.label; }, copied ? 2000 : 6000);
        announce.textContent = "";
        setTimeout(() => { announce.textContent = said; }, 50);
    };

    document.addEventListener("click", event => {
        const button = event.target.closest("[data-copy]");
        if (button) {
            copy(button);
        }
    });

    const show = () => {
        for (const button of document.querySelectorAll("[data-copy][hidden]")) {
            button.hidden = false;
        }
    };

    document.addEventListener("DOMContentLoaded", () => {
        (document.querySelector("main") || document.body).append(announce);
        show();
        // Some admins fetch a part of a list, and put it in place of what was there.
        new MutationObserver(show).observe(document.body, { childList: true, subtree: true });
    });
}
