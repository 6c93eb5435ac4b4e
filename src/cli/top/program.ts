/** Connects the frames, the keys and the screen of `sluice top`. */
import type { LiveFrame } from '../../protocol/admin/live.ts';
import type { EventLog } from './event-table.ts';
import type { Key } from '../terminal/keys.ts';
import type { Symbols } from '../terminal/line.ts';
import { LiveModel } from './rates.ts';
import { Screen } from '../terminal/screen.ts';
import { INITIAL, press, type Shown, type TopState } from './state.ts';
import { draw, type Size } from './view.ts';

/** Number of frames that show the notice of a restart. */
const RESTART_FRAMES = 10;

/** The program's access to the terminal and the process. */
interface TopHost {
  readonly size: Size;
  readonly write: (text: string) => void;
  readonly suspend: () => void;
  readonly quit: () => void;
}

interface Looks {
  readonly symbols: Symbols;
  readonly colours: boolean;
}

export class TopProgram {
  readonly #host: TopHost;
  readonly #symbols: Symbols;
  readonly #screen: Screen;
  #state: TopState = INITIAL;
  #model: LiveModel;
  /** The model on the screen. Older than `#model` during a pause. */
  #visible: LiveModel;
  #events: EventLog = { rows: [], problem: 'the events are being read' };
  #lost: string | null = null;
  #restartFrames = 0;
  #shown: Shown = { lines: 0, room: 0, numeric: [] };

  constructor(host: TopHost, looks: Looks, first: LiveFrame) {
    this.#host = host;
    this.#symbols = looks.symbols;
    this.#screen = new Screen(looks.colours);
    this.#model = new LiveModel(first, null);
    this.#visible = this.#model;
    this.#draw();
  }

  /** Whether the screen shows events that may change. */
  get wantsEvents(): boolean {
    return this.#state.view === 'events' && !this.#state.paused;
  }

  onFrame(frame: LiveFrame): void {
    this.#model = new LiveModel(frame, this.#model.frame);
    this.#restartFrames = this.#model.restarted ? RESTART_FRAMES : Math.max(0, this.#restartFrames - 1);
    this.#lost = null;
    if (!this.#state.paused) this.#visible = this.#model;
    this.#draw();
  }

  /** Called when frames stop arriving. */
  onLost(reason: string): void {
    this.#lost = reason;
    this.#draw();
  }

  /** Takes new events, or the reason why they are missing. */
  onEvents(events: EventLog): void {
    if (!this.wantsEvents) return;
    this.#events = events;
    this.#draw();
  }

  onKey(key: Key): void {
    const next = press(this.#state, key, this.#shown);
    switch (next) {
      case 'quit':
        this.#host.quit();
        break;
      case 'suspend':
        this.#host.suspend();
        break;
      case 'redraw':
        this.onRedraw();
        break;
      default:
        this.#state = next;
        if (!next.paused) this.#visible = this.#model;
        this.#draw();
    }
  }

  /** Draws everything. Called when the terminal is empty or has a new size. */
  onRedraw(): void {
    this.#screen.forget();
    this.#draw();
  }

  #draw(): void {
    const { size } = this.#host;
    const notices = {
      paused: this.#state.paused,
      lost: this.#lost,
      restarted: this.#restartFrames > 0,
    };
    const content = {
      model: this.#visible,
      events: this.#events,
      state: this.#state,
      notices,
      symbols: this.#symbols,
    };
    const { lines, shown } = draw(content, size);
    this.#shown = shown;
    this.#host.write(this.#screen.update(lines, size.width));
  }
}
