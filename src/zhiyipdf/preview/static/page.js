
(() => {
  "use strict";

  const pages = document.getElementById("pages");
  const text = document.getElementById("text");
  const tip = document.getElementById("tip");
  const toggle = document.getElementById("toggle");
  const variants = [...document.querySelectorAll("button[data-variant]")];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  const boxes = new Map();
  for (const box of pages.querySelectorAll(".box")) {
    const found = boxes.get(box.dataset.block) ?? [];
    boxes.set(box.dataset.block, [...found, box]);
  }
  for (const found of boxes.values()) {
    found.sort((a, b) => a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1);
  }
  let hovered = null;
  let selected = null;

  const blockAt = (node) => {
    if (!(node instanceof Element)) return null;
    const box = node.closest(".box");
    return box ? document.getElementById(box.dataset.block) : node.closest(".block");
  };
  const boxesOf = (block) => boxes.get(block.id) ?? [];
  const figuresOf = (block) =>
    block.dataset.pages.split(" ").map((n) => document.getElementById(`page-${n}`)).filter(Boolean);

  // A block lights up its boxes; a page of it where no box is known lights up as a whole.
  function light(block, name, on) {
    const found = boxesOf(block);
    block.classList.toggle(name, on);
    for (const box of found) box.classList.toggle(name, on);
    for (const figure of figuresOf(block)) {
      if (found.some((box) => figure.contains(box))) continue;
      figure.classList.toggle(name, on);
      figure.style.setProperty("--mark", getComputedStyle(block).getPropertyValue("--grade"));
    }
  }

  // A block says what it is beside itself; a pointer on a box cannot see that, so it is told here.
  function pointAt(block, box) {
    tip.hidden = !box;
    if (!box) return;
    const place = box.getBBox();
    const page = box.ownerSVGElement.viewBox.baseVal;
    const sheet = box.closest(".sheet");
    tip.textContent = block.querySelector(".label").textContent;
    tip.style.setProperty("--mark", getComputedStyle(box).stroke);
    tip.style.setProperty("--on-mark", "#fff");
    const below = place.y < 0.04 * page.height;
    tip.classList.toggle("below", below);
    tip.style.left = `${(100 * Math.min(Math.max(place.x, 0), 0.6 * page.width)) / page.width}%`;
    tip.style.top = `${(100 * (place.y + (below ? place.height : 0))) / page.height}%`;
    sheet.append(tip);
  }

  function hover(block, box) {
    pointAt(block, box);
    if (block === hovered) return;
    if (hovered) light(hovered, "hovered", false);
    hovered = block;
    if (block) light(block, "hovered", true);
  }

  function select(block) {
    if (block === selected) return;
    if (selected) light(selected, "selected", false);
    selected = block;
    if (block) {
      showVariant(block.closest(".variant").dataset.variant);
      light(block, "selected", true);
    }
    try {
      const address = block ? `#${block.id}` : location.pathname + location.search;
      history.replaceState(null, "", address);
    } catch {
      // Some browsers allow no change of a file's address; the page works without it.
    }
  }

  function reveal(element, side, behavior) {
    if (!element) return;
    const place = element.getBoundingClientRect();
    const view = side.getBoundingClientRect();
    if (place.top >= view.top + 40 && place.bottom <= view.bottom - 20) return;
    const tall = place.height > view.height - 80;
    const top = place.top - view.top - (tall ? 60 : (view.height - place.height) / 2);
    side.scrollBy({ top, behavior: behavior ?? (calm.matches ? "auto" : "smooth") });
  }
  const revealPlace = (block, behavior) =>
    reveal(boxesOf(block)[0] ?? figuresOf(block)[0], pages, behavior);

  function showVariant(name) {
    if (!variants.length) return;
    for (const button of variants) {
      button.setAttribute("aria-pressed", String(button.dataset.variant === name));
    }
    for (const part of document.querySelectorAll("div[data-variant], g[data-variant]")) {
      part.toggleAttribute("hidden", part.dataset.variant !== name);
    }
  }

  function move(step) {
    const blocks = [...text.querySelectorAll(".variant:not([hidden]) .block")];
    if (!blocks.length) return;
    const at = blocks.indexOf(selected);
    const next = blocks[at < 0 ? 0 : Math.min(Math.max(at + step, 0), blocks.length - 1)];
    select(next);
    next.querySelector(".where").focus({ preventScroll: true });
    reveal(next, text, "auto");
    revealPlace(next, "auto");
  }

  function toggleBoxes() {
    const all = document.body.classList.toggle("all-boxes");
    toggle.setAttribute("aria-pressed", String(all));
  }

  function followAddress() {
    const block = document.getElementById(location.hash.slice(1));
    if (!block?.classList.contains("block")) return;
    select(block);
    reveal(block, text, "auto");
    revealPlace(block, "auto");
  }

  document.addEventListener("pointerover", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    hover(blockAt(target), target?.closest(".box") ?? null);
  });
  document.documentElement.addEventListener("pointerleave", () => hover(null, null));
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const link = target?.closest("a[href]");
    const block = blockAt(target);
    if (!block || (link && !link.classList.contains("where"))) return;
    if (!String(getSelection())) {
      if (link) event.preventDefault();
      select(block);
      if (target.closest(".box")) reveal(block, text);
      else revealPlace(block);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inBlock = document.activeElement?.closest(".block");
    if (event.key === "j" || (inBlock && event.key === "ArrowDown")) move(1);
    else if (event.key === "k" || (inBlock && event.key === "ArrowUp")) move(-1);
    else if (event.key === "b") toggleBoxes();
    else if (event.key === "Escape") select(null);
    else return;
    event.preventDefault();
  });
  toggle.addEventListener("click", toggleBoxes);
  for (const button of variants) {
    button.addEventListener("click", () => {
      select(null);
      showVariant(button.dataset.variant);
    });
  }
  addEventListener("hashchange", followAddress);
  // Without a script the address alone selects; with one it would go on doing so.
  document.documentElement.classList.remove("plain");
  if (variants.length) showVariant(variants[0].dataset.variant);
  followAddress();
})();
