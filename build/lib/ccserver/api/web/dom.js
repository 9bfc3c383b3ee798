// The little that the page needs instead of a framework: make elements, change only what changed, keep lists by key.

import { since } from "/web/format.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element with a class and children (strings become text, so no name from a phone is ever markup). */
export function el(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** An icon of icons.svg; `setIcon` changes it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "use"));
  setIcon(svg, name);
  return svg;
}

export function setIcon(svg, name) {
  setAttribute(svg.firstChild, "href", `/web/icons.svg#${name}`);
}

/** Text, only when it differs: a node that is not touched is not painted. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Make the children of `list` follow `items`: nodes keep their identity by key, and so focus and scrolling stay. */
export function keyed(list, items, key, create, update) {
  const nodes = (list.keyed ??= new Map());
  const wanted = new Set();
  let place = list.firstElementChild;
  for (const item of items) {
    const name = key(item);
    wanted.add(name);
    let node = nodes.get(name);
    if (!node) {
      node = create(item);
      nodes.set(name, node);
    }
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else list.insertBefore(node, place);
  }
  for (const [name, node] of nodes) {
    if (wanted.has(name)) continue;
    node.remove();
    nodes.delete(name);
  }
}

/** A node whose text is the time since an instant (ms) and runs; without an instant it shows `otherwise`. */
export function setTimer(node, ms, otherwise = "") {
  setAttribute(node, "data-since", ms);
  setText(node, ms === null ? otherwise : since(ms));
}

/** Once a second: all timers of the page. */
export function tick() {
  for (const node of document.querySelectorAll("[data-since]")) setText(node, since(Number(node.dataset.since)));
}

export const byId = (id) => document.getElementById(id);
