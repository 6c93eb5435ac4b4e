import type { LinkState } from '../client/live-stream.ts';
import type { LiveFrame } from '../../protocol/admin/live.ts';
import { duration } from '../model/format.ts';
import { byId, setAttribute, setPill, setShown, setText } from './dom.ts';

const STATE_TONES: Readonly<Record<LiveFrame['state'], string>> = {
  starting: 'warn',
  ready: 'ok',
  draining: 'warn',
};

/** The head of the page: the process, and the connection to it. */
export class HeaderView {
  readonly #version = byId('version', HTMLSpanElement);
  readonly #state = byId('state', HTMLParagraphElement);
  readonly #uptime = byId('uptime', HTMLElement);
  readonly #generation = byId('generation', HTMLElement);
  readonly #pid = byId('pid', HTMLElement);
  readonly #link = byId('link', HTMLSpanElement);
  readonly #detail = byId('link-detail', HTMLSpanElement);
  readonly #drainAll = byId('drain-all', HTMLButtonElement);
  readonly #token = byId('token-button', HTMLButtonElement);
  readonly #retry = byId('retry', HTMLButtonElement);
  readonly #loadAgain = byId('load-again', HTMLButtonElement);
  #linkState: LinkState = { kind: 'connecting' };

  show(frame: LiveFrame): void {
    const { version, state, notReady, uptimeSeconds, generation, pid } = frame;
    setText(this.#version, version);
    const isHeld = state === 'ready' && notReady !== null;
    setPill(
      this.#state,
      isHeld ? (notReady === 'draining' ? notReady : 'not ready') : state,
      isHeld ? 'warn' : STATE_TONES[state],
    );
    setText(this.#uptime, duration(uptimeSeconds));
    setText(this.#generation, String(generation));
    setText(this.#pid, String(pid));
    setText(this.#drainAll, isDrained(frame) ? 'Undrain all' : 'Drain all');
    setText(
      document.querySelector('title')!,
      `sluice: ${state === 'ready' && notReady === null ? 'ready' : (notReady ?? state)}`,
    );
  }

  showToken(hasToken: boolean): void {
    setText(this.#token, hasToken ? 'Forget token' : 'Enter token');
  }

  /** @param nowMs on the clock of the stream */
  showLink(state: LinkState, nowMs: number): void {
    this.#linkState = state;
    const { text, tone } = LINKS[state.kind];
    setPill(this.#link, text, tone);
    setAttribute(document.body, 'data-link', state.kind);
    setShown(this.#retry, state.kind === 'lost');
    setShown(this.#loadAgain, state.kind === 'foreign');
    this.tick(nowMs);
  }

  /**
   * Updates the countdown to the next attempt. It is outside the status, which a screen reader would
   * otherwise read each second.
   */
  tick(nowMs: number): void {
    const state = this.#linkState;
    const detail =
      state.kind === 'lost'
        ? `${state.why}; next try in ${Math.max(0, Math.ceil((state.retryAt - nowMs) / 1000))} s`
        : '';
    setText(this.#detail, detail);
    setShown(this.#detail, detail !== '');
  }
}

/** Returns whether a command drains the whole process. */
export function isDrained({ drains }: LiveFrame): boolean {
  return drains.some(({ scope }) => scope.kind === 'all');
}

const LINKS: Readonly<Record<LinkState['kind'], { readonly text: string; readonly tone: string }>> = {
  connecting: { text: 'connecting', tone: 'quiet' },
  live: { text: 'live', tone: 'ok' },
  stale: { text: 'no news', tone: 'warn' },
  lost: { text: 'connection lost', tone: 'bad' },
  foreign: { text: 'the proxy has another version', tone: 'bad' },
  paused: { text: 'paused', tone: 'quiet' },
};
