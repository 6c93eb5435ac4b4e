import type { Admission } from '../../access/contract/admission.ts';
import { labelOf, type Principal } from '../../access/contract/principal.ts';
import { revocationNeededUntil } from '../../access/contract/revoked.ts';
import type { RevocationList } from '../../access/contract/access-services.ts';
import { isoTime } from '../../core/timing/iso-time.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Tunnel } from '../../l4/tunnel.ts';
import type { RelaySession } from '../../l7/contract/relay.ts';
import type { SessionAnswer, SessionFilter, SessionQuestion, SessionRow } from '../../protocol/access.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import { SessionCloser } from './session-closer.ts';

/** A session as operators see and control it. */
export interface KnownSession extends Pick<
  RelaySession,
  'number' | 'openedAt' | 'extensions' | 'admission' | 'hasEnded' | 'tap' | 'close' | 'reschedule'
> {
  readonly endpoint: Pick<Endpoint, 'label' | 'server'>;
}

/** A tunnel as taps see it. */
type KnownTunnel = Pick<Tunnel, 'place' | 'tap'>;

/** The sessions of one listener, route and cluster, or the tunnels of one listener and cluster. */
export interface SessionGroup {
  readonly listener: string;
  /** Empty for tunnels. */
  readonly route: string;
  readonly cluster: string;
  /** Empty for tunnels. */
  readonly sessions: Iterable<KnownSession>;
  /** Empty for sessions. */
  readonly tunnels: Iterable<KnownTunnel>;
  /** Unanswered handshakes. `admission` is null while the credentials are checked. */
  readonly handshakes: Iterable<{ readonly admission: Admission | null; cancel(detail: string): void }>;
}

interface AnswerParts {
  /** Identifies this run of the worker in the ids of its sessions. */
  readonly run: string;
  readonly wheel: TimerWheel;
  readonly revocations: RevocationList;
  /** Lists the live sessions, including those of older generations. */
  readonly groups: () => Iterable<SessionGroup>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Close code and reason for the sessions of a revoked principal. */
const REVOKED = { code: 1008, reason: 'access revoked' } as const;

/**
 * Answers the primary's questions about the sessions of one worker. A list visits all sessions, but builds
 * rows only for those it returns.
 */
export class SessionAnswers {
  readonly #parts: AnswerParts;
  readonly #now: () => number;
  readonly #closer: SessionCloser;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#closer = new SessionCloser(parts.wheel);
  }

  answer(question: SessionQuestion): SessionAnswer {
    switch (question.kind) {
      case 'list':
        return this.#list(question);
      case 'close':
        return this.#close(this.#find(question.id), question);
      case 'close_all':
        return this.#close(this.#matching(question.filter), question);
      case 'extend':
        return this.#extend(this.#find(question.id), question.byMs);
      case 'revoke':
        return this.#revoke(new Set(question.principals));
    }
  }

  #list({ filter, after, limit }: Extract<SessionQuestion, { kind: 'list' }>): SessionAnswer {
    const page = new Lowest(firstAfter(after, this.#parts.run), limit);
    let count = 0;
    for (const group of this.#groupsOf(filter)) {
      for (const session of group.sessions) {
        if (!matches(session, filter)) continue;
        count++;
        if (page.accepts(session.number)) page.add(session, group);
      }
    }
    const rows = page.sorted().map(({ session, group }) => this.#rowOf(session, group));
    return { count, rows, at: null };
  }

  #close(
    sessions: readonly KnownSession[],
    { code, reason }: { code: number; reason: string },
  ): SessionAnswer {
    this.#closer.close(sessions, code, reason);
    return { count: sessions.length, rows: [], at: null };
  }

  #extend(sessions: readonly KnownSession[], byMs: number): SessionAnswer {
    let at: number | null = null;
    for (const session of sessions) {
      const { admission } = session;
      if (admission.endsAt === Infinity) continue;
      at = admission.endsAt = Math.max(this.#now(), admission.endsAt) + byMs;
      session.reschedule();
    }
    return { count: sessions.length, rows: [], at };
  }

  /** Revokes sessions. Sessions whose credentials were issued after the revocation stay open. */
  #revoke(principals: ReadonlySet<string>): SessionAnswer {
    const { revocations, groups } = this.#parts;
    // Writing a label for each session would take most of the time.
    const names = new Set([...principals, ...Array.from(principals, nameOf)]);
    const isRevoked = ({ principal }: Admission): boolean =>
      names.has(principal.name) &&
      (principals.has(principal.name) || principals.has(labelOf(principal))) &&
      revocations.isRevoked(principal);
    const sessions: KnownSession[] = [];
    for (const group of groups()) {
      for (const session of group.sessions) {
        if (isRevoked(session.admission)) sessions.push(session);
      }
      // Pending checks ask for revocations when they finish. Admitted handshakes do not.
      for (const handshake of [...group.handshakes]) {
        const { admission } = handshake;
        if (admission !== null && isRevoked(admission)) handshake.cancel(REVOKED.reason);
      }
    }
    let at: number | null = null;
    for (const { admission } of sessions) {
      const neededUntil = revocationNeededUntil(admission.principal);
      if (neededUntil !== null) at = Math.max(at ?? 0, neededUntil);
    }
    return { ...this.#close(sessions, REVOKED), at };
  }

  #find(id: string): KnownSession[] {
    const { run, groups } = this.#parts;
    const wanted = Number(id.slice(id.lastIndexOf('-') + 1));
    if (idOf(run, wanted) !== id) return [];
    for (const { sessions } of groups()) {
      for (const session of sessions) if (session.number === wanted) return [session];
    }
    return [];
  }

  #matching(filter: SessionFilter): KnownSession[] {
    const found: KnownSession[] = [];
    for (const { sessions } of this.#groupsOf(filter)) {
      for (const session of sessions) if (matches(session, filter)) found.push(session);
    }
    return found;
  }

  *#groupsOf({ listener, cluster }: SessionFilter): Iterable<SessionGroup> {
    for (const group of this.#parts.groups()) {
      if (listener !== undefined && listener !== group.listener) continue;
      if (cluster === undefined || cluster === group.cluster) yield group;
    }
  }

  #rowOf({ number, openedAt, endpoint, admission }: KnownSession, group: SessionGroup): SessionRow {
    const { principal, address, endsAt } = admission;
    return {
      id: idOf(this.#parts.run, number),
      principal: labelOf(principal),
      client: address,
      listener: group.listener,
      cluster: group.cluster,
      endpoint: endpoint.label,
      openedAt: isoTime(openedAt),
      endsAt: endsAt === Infinity ? null : isoTime(endsAt),
    };
  }
}

/** Returns the label's name without its kind, if it has one. */
function nameOf(label: string): string {
  return label.slice(label.indexOf(':') + 1);
}

function idOf(run: string, number: number): string {
  return `${run}-${number}`;
}

/** Returns the lowest number of this run after an id. Runs are ordered by name. */
function firstAfter(after: string | null, run: string): number {
  if (after === null) return 0;
  const hyphen = after.lastIndexOf('-');
  const other = after.slice(0, hyphen);
  if (run === other) return Number(after.slice(hyphen + 1)) + 1;
  return run < other ? Infinity : 0;
}

function matches({ admission, endpoint }: KnownSession, filter: SessionFilter): boolean {
  const { principal, client } = filter;
  if (client !== undefined && client !== admission.address) return false;
  if (filter.endpoint !== undefined && !isEndpoint(endpoint, filter.endpoint)) return false;
  return principal === undefined || isNamed(admission.principal, principal);
}

/** @param wanted the endpoint's address, or the name and port that its cluster has */
function isEndpoint({ label, server }: KnownSession['endpoint'], wanted: string): boolean {
  if (label === wanted) return true;
  if (server.kind !== 'tcp') return false;
  // Most sessions need no text for the comparison.
  return wanted.startsWith(server.host) && wanted === `${server.host}:${server.port}`;
}

/** @param wanted with its kind, or a bare name for all kinds */
function isNamed(principal: Principal, wanted: string): boolean {
  return principal.name === wanted || (wanted.endsWith(principal.name) && labelOf(principal) === wanted);
}

/** A session of a page. */
interface Found {
  readonly session: KnownSession;
  readonly group: SessionGroup;
}

/** Keeps the sessions with the lowest numbers, without sorting all sessions of a worker. */
class Lowest {
  readonly #first: number;
  readonly #count: number;
  #found: Found[] = [];
  /** Sessions with a higher number are not among the lowest. */
  #last = Infinity;

  /** @param first lowest number to include */
  constructor(first: number, count: number) {
    this.#first = first;
    this.#count = count;
  }

  /** Whether a session with this number may be among the lowest. */
  accepts(number: number): boolean {
    return number >= this.#first && number <= this.#last;
  }

  add(session: KnownSession, group: SessionGroup): void {
    this.#found.push({ session, group });
    if (this.#found.length < 2 * this.#count) return;
    this.#found = this.sorted();
    this.#last = this.#found.at(-1)?.session.number ?? Infinity;
  }

  /** Returns the lowest in order. */
  sorted(): Found[] {
    return this.#found.sort((one, other) => one.session.number - other.session.number).slice(0, this.#count);
  }
}
