/** DOM helpers. Text never becomes markup, and invisible characters are escaped. */
import { visibleText } from '../model/visible-text.ts';

type Attributes = Readonly<Record<string, string>>;

/** Attributes that people read or hear. */
const READ_ATTRIBUTES: ReadonlySet<string> = new Set(['title', 'aria-label']);

/** Creates an element with attributes and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children.map((child) => (typeof child === 'string' ? visibleText(child) : child)));
  return element;
}

/** Creates a button that calls back when it is pressed. */
export function makeButton(
  text: string,
  onPress: () => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  const button = make('button', { type: 'button', ...attributes }, text);
  button.addEventListener('click', onPress);
  return button;
}

/** Finds an element of the page's markup. @throws Error if there is none of this kind */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} with the id ${id}`);
  return element;
}

/** Sets the text of a node unless it is unchanged. */
export function setText(node: Node, text: string): void {
  const shown = visibleText(text);
  if (node.textContent !== shown) node.textContent = shown;
}

/** Sets an attribute unless it is unchanged. Null removes it. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  const shown = value !== null && READ_ATTRIBUTES.has(name) ? visibleText(value) : value;
  if (shown === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== shown) element.setAttribute(name, shown);
}

/** Shows or hides an element. */
export function setShown(element: HTMLElement, isShown: boolean): void {
  if (element.hidden === isShown) element.hidden = !isShown;
}

/** Sets the text and the tone of a pill: `ok`, `warn`, `bad` or `quiet`. */
export function setPill(pill: HTMLElement, text: string, tone: string): void {
  setText(pill, text);
  setAttribute(pill, 'data-tone', tone);
}

/** Writes a count into a cell. A narrow screen hides zero counts. */
export function setCount(cell: HTMLElement, text: string): void {
  setText(cell, text);
  setAttribute(cell, 'data-zero', text === '0' ? '' : null);
}
