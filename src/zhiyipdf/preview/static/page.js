
(() => {
  "use strict";

  const pages = document.getElementById("pages");
  const text = document.getElementById("text");
  const told = document.getElementById("told");
  const toggle = document.getElementById("toggle");
  const variants = [...document.querySelectorAll("button[data-variant]")];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  const REST_MS = 150; // a pointer that stays this long is no longer on its way elsewhere
  const ENOUGH = 0.6; // of a side: what fills that much of it can be seen

  const boxes = new Map();
  for (const box of pages.querySelectorAll(".box")) {
    if (!boxes.has(box.dataset.block)) boxes.set(box.dataset.block, []);
    boxes.get(box.dataset.block).push(box);
  }
  let hovered = null;
  let selected = null;
  let rest = 0;
  // Keys and addresses move the page under a pointer that lies still; that is no pointing.
  let pointing = false;

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

  // Tells of the block that is pointed at, else of the selected one, where it covers no text.
  function tell() {
    const block = hovered ?? selected;
    told.textContent = block?.querySelector(".label").textContent ?? "";
    told.className = block?.dataset.grade ?? "";
  }

  function hover(block, box) {
    if (block === hovered) return;
    clearTimeout(rest);
    if (hovered) light(hovered, "hovered", false);
    hovered = block;
    if (block) {
      light(block, "hovered", true);
      rest = setTimeout(() => (box ? reveal(block, text) : revealPlace(block)), REST_MS);
    }
    tell();
  }

  function select(block) {
    if (block === selected) return;
    if (selected) light(selected, "selected", false);
    selected = block;
    if (block) {
      showVariant(block.closest(".variant").dataset.variant);
      light(block, "selected", true);
    }
    tell();
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
    const seen = Math.min(place.bottom, view.bottom) - Math.max(place.top, view.top);
    if (seen >= Math.min(place.height, ENOUGH * view.height)) return;
    const tall = place.height > view.height - 80;
    const top = place.top - view.top - (tall ? 40 : (view.height - place.height) / 2);
    // Hundreds of pages that rush by tell nothing: from afar it jumps.
    const near = Math.abs(top) < 2 * view.height;
    side.scrollBy({ top, behavior: behavior ?? (near && !calm.matches ? "smooth" : "auto") });
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

  // From the selected block on; from the one that is being read if that is out of view.
  function move(step) {
    const blocks = [...text.querySelectorAll(".variant:not([hidden]) .block")];
    const view = text.getBoundingClientRect();
    const isSeen = (block) => {
      const { top, bottom } = block.getBoundingClientRect();
      return bottom > view.top && top < view.bottom;
    };
    const begins = (block) => isSeen(block) && block.getBoundingClientRect().top >= view.top - 1;
    const at = blocks.indexOf(selected);
    const goesOn = at >= 0 && isSeen(selected);
    const next = goesOn ? blocks[at + step] ?? selected : blocks.find(begins) ?? blocks.find(isSeen);
    if (!next) return;
    pointing = false;
    hover(null);
    choose(next);
    reveal(next, text, "auto");
    revealPlace(next, "auto");
  }

  // The focus goes along, so that Tab and the arrows go on from there.
  function choose(block) {
    select(block);
    block.querySelector(".where").focus({ preventScroll: true });
  }

  function clear() {
    document.activeElement?.blur();
    pointing = false;
    hover(null);
    select(null);
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

  function follow(event) {
    const target = event.target instanceof Element ? event.target : null;
    hover(blockAt(target), target?.closest(".box"));
  }

  document.addEventListener("pointerover", (event) => {
    if (pointing) follow(event);
  });
  for (const moved of ["pointermove", "pointerdown", "wheel"]) {
    document.addEventListener(moved, (event) => {
      if (pointing) return;
      pointing = true;
      follow(event);
    }, { passive: true });
  }
  document.documentElement.addEventListener("pointerleave", () => hover(null));
  document.addEventListener("focusin", (event) => {
    const block = blockAt(event.target);
    if (!block || !event.target.matches(":focus-visible")) return;
    select(block);
    revealPlace(block, "auto");
  });
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const link = target?.closest("a[href]");
    const block = blockAt(target);
    if (!block || (link && !link.classList.contains("where"))) return;
    if (!String(getSelection())) {
      if (link) event.preventDefault();
      choose(block);
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
    else if (event.key === "Escape") clear();
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
