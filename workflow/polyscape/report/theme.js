/* Before the page is drawn: the reader's colour scheme, so that nothing flashes. Without scripts the page is light. */
document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
document.documentElement.classList.add("scripted");
