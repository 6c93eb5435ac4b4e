import type { Clock } from '../client/clock.ts';
import { byId, make, makeButton } from './dom.ts';

/** The result of a command. */
interface Answer {
  readonly title: string;
  readonly text: string;
  readonly isDone: boolean;
}

const MAX_ANSWERS = 4;
/** Success messages disappear after this time. Problems stay until someone closes them. */
const SHOWN_MS = 10_000;

/** The results of commands, in a corner of the page. */
export class AnswersView {
  readonly #node = byId('answers', HTMLDivElement);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ title, text, isDone }: Answer): void {
    const node = make('div', { class: 'answer', 'data-tone': isDone ? 'ok' : 'bad' });
    const close = makeButton('Close', () => node.remove(), { 'aria-label': `Close the answer: ${title}` });
    node.append(make('p', {}, make('b', {}, title), make('br'), text), close);
    this.#node.append(node);
    while (this.#node.childElementCount > MAX_ANSWERS) this.#node.firstElementChild?.remove();
    if (isDone) this.#clock.after(SHOWN_MS, () => node.remove());
  }
}
