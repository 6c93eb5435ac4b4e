/** The dashboard of deploy/grafana. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

interface GridPlace {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: GridPlace;
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
  readonly panels?: readonly Panel[];
}

export interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly panels: readonly Panel[];
}

const FILE = join(resolve(import.meta.dirname, '../../..'), 'deploy/grafana/sluice.json');

export function readDashboard(): { text: string; dashboard: Dashboard } {
  const text = readFileSync(FILE, 'utf8');
  return { text, dashboard: JSON.parse(text) as Dashboard };
}

/** Lists all panels, those in closed rows included. */
export function panelsOf({ panels }: Pick<Dashboard, 'panels'>): Panel[] {
  return panels.flatMap((panel) => [panel, ...panelsOf({ panels: panel.panels ?? [] })]);
}

/** Puts values in place of variables, as Grafana does when everything is chosen. @param range such as `1m` */
export function filled(expr: string, range: string): string {
  return expr
    .replaceAll('$__rate_interval', range)
    .replaceAll(/\$(?:job|instance|listener|cluster)\b/g, '.*');
}
