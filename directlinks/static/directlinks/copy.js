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
        document.execCommand("copy");
        area.remove();
    };

    const copy = async button => {
        const text = button.dataset.copy;
        try {
            await navigator.clipboard.writeText(text);
        } catch {
            byHand(text);
            button.focus();
        }
        const label = button.textContent;
        if (label !== button.dataset.copied) {
            button.textContent = button.dataset.copied;
            setTimeout(() => { button.textContent = label; }, 2000);
        }
        announce.textContent = "";
        setTimeout(() => { announce.textContent = button.dataset.copied; }, 50);
    };

    document.addEventListener("click", event => {
        const button = event.target.closest("[data-copy]");
        if (button) {
            copy(button);
        }
    });

    document.addEventListener("DOMContentLoaded", () => {
        (document.querySelector("main") || document.body).append(announce);
        for (const button of document.querySelectorAll("[data-copy]")) {
            button.hidden = false;
        }
    });
}
