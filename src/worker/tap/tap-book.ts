import { TICK_MS, Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { TapCommand, TapOrder, TapReport } from '../../protocol/tap.ts';
import type { SessionTap, TappedSession, TappedTunnel, Taps, TunnelTap } from '../../telemetry/tap/tap.ts';
import type { SecretNames } from '../../wire/redaction/secret-names.ts';
import { compileRedaction } from '../../wire/redaction/redaction.ts';
import { factsOf, type OpenGroup, type OpenSession, type OpenTunnel } from './open-connections.ts';
import { RunningTap } from './running-tap.ts';
import { fitsSession, fitsTunnel } from './tap-filter.ts';
import { TapHome, type TapClock, type TapCounters } from './tap-home.ts';
import { lineStart, sessionLine, tunnelLine } from './tap-lines.ts';
import { WatchedSession } from './watched/watched-session.ts';
import { WatchedTunnel } from './watched/watched-tunnel.ts';

/** Sessions that are looked at before the budget is asked again. */
const WALK_STEP = 16;

/** What is open in a group at one moment. */
interface OpenList {
  readonly group: OpenGroup;
  readonly sessions: readonly OpenSession[];
  readonly tunnels: readonly OpenTunnel[];
}

/** How a walk rests: it may go on in the same tick, or not. */
type Step = 'more' | 'full';
type Walk = Generator<Step, void, undefined>;

interface TapBookParts {
  /** Names this run of the worker in the ids of sessions. */
  readonly run: string;
  /** Whether the worker has sessions. Of tunnels a tap shows nothing that rules of redaction concern. */
  readonly hasSessions: boolean;
  readonly wheel: TimerWheel;
  readonly counters: TapCounters;
  /** Names of secrets in handshakes. */
  readonly secretNames: SecretNames;
  /** Takes the lines of a tap. */
  readonly send: (report: TapReport) => void;
  /** Told of exceptions of the code of taps, which end the watch of what they were about: at most once a tick. */
  readonly onFault: (error: unknown) => void;
  readonly clock?: TapClock;
  /** Budgets of CPU time that are saved up at most, for sudden work. */
  readonly savedTicks?: number;
  /** Draws whether a session is in a sample: from 0 to 1. */
  readonly random?: () => number;
}

/** The taps of a worker. They share a budget of CPU time in each tick of the wheel, and send their lines once in a tick. */
export class TapBook extends Timed implements Taps {
  readonly secretNames: SecretNames;
  readonly #hasSessions: boolean;
  readonly #wheel: TimerWheel;
  readonly #send: (report: TapReport) => void;
  readonly #random: () => number;
  readonly #home: TapHome;
  /** By their ids. */
  readonly #taps = new Map<string, RunningTap>();
  /** Walks over open sessions that are not over. */
  #walks: Walk[] = [];
  #lastTunnel = 0;

  /** @param orders of taps that run already */
  constructor(parts: TapBookParts, orders: readonly TapOrder[]) {
    super();
    const { run, wheel, counters, secretNames, send, onFault, random = Math.random } = parts;
    const { clock = threadClock(), savedTicks } = parts;
    this.secretNames = secretNames;
    this.#hasSessions = parts.hasSessions;
    this.#wheel = wheel;
    this.#send = send;
    this.#random = random;
    this.#home = new TapHome(run, counters, clock, savedTicks, onFault);
    for (const order of orders) this.#start(order);
  }

  get isOn(): boolean {
    return this.#taps.size > 0;
  }

  watchSession(session: TappedSession): SessionTap | null {
    return this.#contained(() => this.#watchSession(session));
  }

  watchTunnel(tunnel: TappedTunnel): TunnelTap | null {
    return this.#contained(() => this.#watchTunnel(tunnel));
  }

  /** Returns null in place of an exception: what opens must not notice. */
  #contained<Tap>(watch: () => Tap | null): Tap | null {
    try {
      return watch();
    } catch (error) {
      this.#home.fault(error);
      return null;
    }
  }

  #watchSession(session: TappedSession): SessionTap | null {
    const id = this.#idOf(session.number);
    const taps = this.#choose((tap) => fitsSession(tap.order.filter, session, id));
    if (taps === null) return null;
    const watched = new WatchedSession(this.#home, id, session.extensions, true);
    watched.expect(taps.map((tap) => ({ tap, opening: sessionLine(session, id, tap.secrets) })));
    this.#home.places.end();
    return watched;
  }

  #watchTunnel(tunnel: TappedTunnel): TunnelTap | null {
    const taps = this.#choose((tap) => fitsTunnel(tap.order.filter, tunnel));
    if (taps === null) return null;
    const id = this.#newTunnelId();
    const opening = tunnelLine(tunnel, id, false);
    const watched = new WatchedTunnel(this.#home, id);
    watched.expect(taps.map((tap) => ({ tap, opening })));
    this.#home.places.end();
    return watched;
  }

  /** Takes what the primary says about taps. @param groups lists the open sessions */
  hear(command: TapCommand, groups: () => Iterable<OpenGroup>): void {
    switch (command.type) {
      case 'tap_start':
        this.#walks.push(this.#walk(groups(), this.#start(command.order)));
        break;
      case 'tap_stop':
        // Nothing watches a session for nobody.
        if (this.#stop(command.id)) this.#walks.push(this.#walk(groups(), null));
        break;
      case 'tap_taken':
        this.#taps.get(command.id)?.taken();
    }
  }

  /** Sends the last lines: the worker ends. */
  flush(): void {
    for (const tap of this.#taps.values()) tap.flush(true);
  }

  override expire(): void {
    this.#home.renew();
    for (const tap of this.#taps.values()) tap.flush();
    this.#goOn();
    if (this.#taps.size > 0 || this.#walks.length > 0) this.#wheel.arm(this, TICK_MS);
  }

  #start(order: TapOrder): RunningTap {
    this.#stop(order.id);
    // Compiling loads the packages for it, which holds the thread.
    const hasRules = order.redact.length > 0 && this.#hasSessions;
    const redaction = hasRules ? compileRedaction(order.redact) : null;
    const tap = new RunningTap(order, redaction, this.secretNames, this.#send);
    this.#taps.set(order.id, tap);
    this.#arm();
    return tap;
  }

  /** Ends a tap. Returns false if there is none of the id. */
  #stop(id: string): boolean {
    const tap = this.#taps.get(id);
    if (tap === undefined) return false;
    tap.isOver = true;
    this.#taps.delete(id);
    this.#home.endedTaps++;
    this.#arm();
    return true;
  }

  #arm(): void {
    if (this.wheelTick < 0) this.#wheel.arm(this, TICK_MS);
  }

  /**
   * Chooses the taps that watch something new, and begins a piece of work for it.
   *
   * @returns null if there are none, or no CPU time is left: then no work is begun
   */
  #choose(fits: (tap: RunningTap) => boolean): readonly RunningTap[] | null {
    let chosen: readonly RunningTap[] | null = null;
    for (const tap of this.#taps.values()) {
      if (!fits(tap) || !this.#draws(tap)) continue;
      chosen = chosen === null ? tap.alone : [...chosen, tap];
    }
    if (chosen === null || this.#home.beginOpening()) return chosen;
    for (const tap of chosen) tap.loseSession();
    return null;
  }

  #draws({ order: { sample } }: RunningTap): boolean {
    return sample >= 1 || this.#random() < sample;
  }

  #idOf(number: number): string {
    return `${this.#home.run}-${number}`;
  }

  #newTunnelId(): string {
    return `${this.#home.run}-t${++this.#lastTunnel}`;
  }

  /** Goes on with the walks, as far as the budget of the tick allows. */
  #goOn(): void {
    const { walks } = this.#home;
    for (const walk of [...this.#walks]) {
      let step: Step | undefined = 'more';
      while (step === 'more' && walks.begin()) {
        step = this.#stepOf(walk);
        walks.end();
      }
      if (step === undefined) this.#walks = this.#walks.filter((other) => other !== walk);
    }
  }

  /** Goes a step. Returns undefined if the walk is over; a fault ends it. */
  #stepOf(walk: Walk): Step | undefined {
    try {
      const { value, done } = walk.next();
      return done === true ? undefined : value;
    } catch (error) {
      this.#home.fault(error);
      return undefined;
    }
  }

  /**
   * Walks over the sessions that are open now, and rests behind each few of them, and while the tap has no room for their
   * lines. Sessions that nobody watches any more are left alone.
   *
   * @param tap asks for the sessions; null if no tap does
   */
  #walk(groups: Iterable<OpenGroup>, tap: RunningTap | null): Walk {
    // The sessions of this moment: those that come later are asked about when they come.
    const lists = Array.from(groups, (group) => {
      return { group, sessions: [...group.sessions], tunnels: [...group.tunnels] };
    });
    return this.#steps(lists, tap);
  }

  *#steps(lists: readonly OpenList[], tap: RunningTap | null): Walk {
    let count = 0;
    for (const { group, sessions, tunnels } of lists) {
      for (const session of sessions) {
        if (session.tap instanceof WatchedSession && session.tap.isUnused) session.tap = null;
        if (tap !== null && !tap.isOver && !session.hasEnded) this.#visit(session, group, tap);
        if (++count % WALK_STEP === 0) yield* rest(tap);
      }
      for (const tunnel of tunnels) {
        if (tunnel.tap instanceof WatchedTunnel && tunnel.tap.isUnused) tunnel.tap = null;
        if (tap !== null && !tap.isOver) this.#visitTunnel(tunnel, tap);
        if (++count % WALK_STEP === 0) yield* rest(tap);
      }
    }
  }

  #visit(session: OpenSession, group: OpenGroup, tap: RunningTap): void {
    const facts = factsOf(session, group);
    const id = this.#idOf(session.number);
    if (!fitsSession(tap.order.filter, facts, id) || !this.#draws(tap)) return;
    const known = session.tap instanceof WatchedSession ? session.tap : null;
    const watched = known ?? new WatchedSession(this.#home, id, facts.extensions, false);
    watched.attach(tap, lineStart('session', this.#home.at()) + sessionLine(facts, id, tap.secrets));
    if (known === null && !watched.isUnused) session.tap = watched;
  }

  #visitTunnel(tunnel: OpenTunnel, tap: RunningTap): void {
    const { place } = tunnel;
    if (place === null || !fitsTunnel(tap.order.filter, place) || !this.#draws(tap)) return;
    const known = tunnel.tap instanceof WatchedTunnel ? tunnel.tap : null;
    const watched = known ?? new WatchedTunnel(this.#home, this.#newTunnelId());
    watched.attach(tap, lineStart('tunnel', this.#home.at()) + tunnelLine(place, watched.id, true));
    if (known === null && !watched.isUnused) tunnel.tap = watched;
  }
}

function threadClock(): TapClock {
  return {
    now: () => performance.now(),
    cpu: () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    },
    origin: performance.timeOrigin,
  };
}

function* rest(tap: RunningTap | null): Walk {
  yield 'more';
  while (tap !== null && !tap.isOver && !tap.hasRoom) yield 'full';
}
