/** The commands of the admin API, and the questions to confirm them. */
import type { DrainScope } from '../../protocol/to-worker.ts';
import { plural } from './format.ts';
import { scopeText } from './notices.ts';

/** An input field of the question. */
interface CommandField {
  /** The query parameter. */
  readonly name: string;
  readonly label: string;
  readonly placeholder: string;
}

export interface Command {
  readonly method: 'POST' | 'DELETE';
  /** Includes the fixed part of the query. */
  readonly path: string;
  /** In the imperative: the title of the question. */
  readonly title: string;
  /** The consequence of the command. Null if the command needs no confirmation. */
  readonly question: string | null;
  /** The label of the button. */
  readonly button: string;
  /** Whether clients lose connections. */
  readonly isHarmful: boolean;
  readonly fields: readonly CommandField[];
}

const DRAIN_FIELDS: readonly CommandField[] = [
  { name: 'rate', label: 'Rate', placeholder: 'as configured, or 100/s' },
  { name: 'deadline', label: 'Deadline', placeholder: 'as configured, or 5m' },
];
const CLOSE_FIELDS: readonly CommandField[] = [
  { name: 'code', label: 'Close code', placeholder: '1008' },
  { name: 'reason', label: 'Reason', placeholder: 'closed by the operator' },
];

export const RELOAD: Command = {
  method: 'POST',
  path: '/reload',
  title: 'Reload the configuration',
  question: 'The proxy reads its file again. If there is an error in it, the present configuration stays.',
  button: 'Reload',
  isHarmful: false,
  fields: [],
};

/** Drains a part of the proxy. @param connections open connections of that part; null if unknown */
export function drain(scope: DrainScope, connections: number | null): Command {
  const ended = connections === null ? 'Open connections' : plural(connections, 'open connection');
  const refused =
    scope.kind === 'endpoint' || scope.kind === 'cluster'
      ? 'New connections go elsewhere, or are refused if there is nowhere else.'
      : 'New connections are refused.';
  return {
    method: 'POST',
    path: `${pathOf(scope)}/drain`,
    title: `Drain ${scopeText(scope)}?`,
    question: `${refused} ${ended} will be closed at the rate of the drain; clients may connect again.`,
    button: 'Drain',
    isHarmful: true,
    fields: DRAIN_FIELDS,
  };
}

/** Makes a drained part of the proxy accept connections again. */
export function undrain(scope: DrainScope): Command {
  return plain('POST', `${pathOf(scope)}/undrain`, `Undrain ${scopeText(scope)}`, 'Undrain');
}

/** Closes connections until endpoints have equal shares again. */
export function rebalance(cluster: string): Command {
  return {
    method: 'POST',
    path: `/clusters/${encodeURIComponent(cluster)}/rebalance`,
    title: `Rebalance cluster ${cluster}?`,
    question:
      'Endpoints with more than their share lose the surplus; those clients connect again, and go to the others.',
    button: 'Rebalance',
    isHarmful: true,
    fields: [{ name: 'rate', label: 'Rate', placeholder: 'as configured, or 100/s' }],
  };
}

/** Closes one session. @param principal the session's principal; empty if unknown */
export function kick(id: string, principal: string): Command {
  return {
    method: 'DELETE',
    path: `/sessions/${encodeURIComponent(id)}`,
    title: `Close session ${id}?`,
    question: `The session${principal === '' ? '' : ` of ${principal}`} gets a close frame. Its client may connect again.`,
    button: 'Close session',
    isHarmful: true,
    fields: CLOSE_FIELDS,
  };
}

/**
 * Closes all sessions that match a search.
 *
 * @param value not empty: the proxy refuses to close all sessions by this command
 */
export function kickAll(by: string, value: string, total: number): Command {
  return {
    method: 'DELETE',
    path: `/sessions?${new URLSearchParams({ [by]: value }).toString()}`,
    title: `Close ${plural(total, 'session')}?`,
    question: `All sessions with the ${by} ${value} get a close frame, also those that came after the search.`,
    button: 'Close sessions',
    isHarmful: true,
    fields: CLOSE_FIELDS,
  };
}

/** Adds the filled-in fields to the path of a command. */
export function withFields(path: string, fields: Readonly<Record<string, string>>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== '');
  if (given.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(given).toString()}`;
}

function plain(method: Command['method'], path: string, title: string, button: string): Command {
  return { method, path, title, question: null, button, isHarmful: false, fields: [] };
}

function pathOf(scope: DrainScope): string {
  switch (scope.kind) {
    case 'all':
      return '';
    case 'listener':
      return `/listeners/${encodeURIComponent(scope.name)}`;
    case 'cluster':
      return `/clusters/${encodeURIComponent(scope.name)}`;
    case 'endpoint':
      return `/clusters/${encodeURIComponent(scope.cluster)}/endpoints/${encodeURIComponent(scope.name)}`;
  }
}
