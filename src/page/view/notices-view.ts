import type { Command } from '../model/commands.ts';
import { undrain } from '../model/commands.ts';
import type { Notice } from '../model/notices.ts';
import { byId, make, makeButton, setAttribute, setShown, setText } from './dom.ts';
import { KeyedList } from './keyed-list.ts';

/** The most urgent facts for an operator, above everything else. */
export class NoticesView {
  readonly #section = byId('notices', HTMLElement);
  readonly #list: KeyedList<Notice>;

  /** @param onCommand called with the undrain of a drain */
  constructor(onCommand: (command: Command) => void) {
    this.#list = new KeyedList<Notice>(byId('notice-list', HTMLUListElement), {
      keyOf: ({ key }) => key,
      make: () => {
        let shown: Notice | null = null;
        const text = make('span');
        const progress = make('progress', { max: '1', 'aria-label': 'Share of connections that have ended' });
        const button = makeButton('Undrain', () => {
          if (shown?.scope !== undefined) onCommand(undrain(shown.scope));
        });
        const node = make('li', { class: 'notice' }, text, progress, button);
        const update = (notice: Notice): void => {
          shown = notice;
          setText(text, notice.text);
          setAttribute(node, 'data-tone', notice.tone);
          setShown(progress, notice.progress !== undefined);
          if (notice.progress !== undefined) progress.value = notice.progress;
          setShown(button, notice.scope !== undefined);
        };
        return { node, update };
      },
    });
  }

  show(notices: readonly Notice[]): void {
    this.#list.show(notices);
    setShown(this.#section, notices.length > 0);
  }
}
