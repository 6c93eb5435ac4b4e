import { markdownTable } from '../figures/tables.ts';
import type { Timeline } from './timeline.ts';

/** The findings of the scenarios so far, as plain data for a file and the page. */
export interface FaultReport {
  readonly date: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /**
   * Configuration of each peer, by name. Scenarios vary the endpoints, the grace period and the idle timeout.
   */
  readonly configs: Readonly<Record<string, string>>;
  readonly scenarios: readonly ScenarioResult[];
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  /** By the peer's name. */
  readonly peers: Readonly<Record<string, Findings>>;
}

/** The findings of one scenario with one peer. */
export interface Findings {
  readonly figures: readonly { readonly label: string; readonly text: string }[];
  readonly unit: string;
  /** Empty if there is nothing to draw. */
  readonly timeline: Timeline;
}

/**
 * Merges two reports. A result of the second replaces the first one's result for the same scenario and peer.
 */
export function mergeReports(first: FaultReport, second: FaultReport): FaultReport {
  const known = new Map(first.scenarios.map((one) => [one.name, one]));
  for (const one of second.scenarios) {
    known.set(one.name, { ...one, peers: merged(known.get(one.name)?.peers ?? {}, one.peers) });
  }
  return {
    ...second,
    versions: merged(first.versions, second.versions),
    configs: merged(first.configs, second.configs),
    scenarios: [...known.values()],
  };
}

/** Merges two records. Entries of the second come first, and replace entries of the first. */
function merged<T>(
  first: Readonly<Record<string, T>>,
  second: Readonly<Record<string, T>>,
): Record<string, T> {
  return { ...second, ...first, ...second };
}

/** Formats the report as Markdown tables, with a newline at the end. */
export function renderFaults({ date, machine, versions, scenarios }: FaultReport): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const lines = [`${date}, ${machine}. ${named.join(', ')}.`];
  for (const { title, text, peers } of scenarios) {
    const names = Object.keys(peers);
    const labels = [...new Set(names.flatMap((name) => peers[name]!.figures.map(({ label }) => label)))];
    const rows = labels.map((label) => [
      label,
      ...names.map((name) => peers[name]!.figures.find((one) => one.label === label)?.text ?? ''),
    ]);
    lines.push('', `**${title}.** ${text}`, '', ...markdownTable(['', ...names], rows));
  }
  return `${lines.join('\n')}\n`;
}
