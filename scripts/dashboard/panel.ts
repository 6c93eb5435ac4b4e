/** Panels of the dashboard, and their JSON for Grafana (schema 39, Grafana 11). */

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;
/** Columns of Grafana's grid. */
const GRID_WIDTH = 24;

/** A query and the names of its series. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface PanelPlan {
  readonly title: string;
  /** Meaning of the panel, and what to do. */
  readonly description: string;
  readonly queries: readonly Query[];
  /** Unit by Grafana's name, such as `s`, `Bps` or `percentunit`. */
  readonly unit: string;
  /** Width in columns, of 24 per row. */
  readonly width: number;
  readonly height?: number;
  /** Defaults to `timeseries`. */
  readonly type?: 'timeseries' | 'stat' | 'table' | 'bargauge';
  readonly isStacked?: boolean;
  /** Whether to show exemplars, the dots that lead to traces. */
  readonly hasExemplars?: boolean;
  /** Min values for yellow and red. */
  readonly limits?: readonly [warning: number, critical: number];
  /** Texts to show instead of values. */
  readonly texts?: Readonly<Record<string, string>>;
}

export interface RowPlan {
  readonly title: string;
  readonly isCollapsed?: boolean;
  readonly panels: readonly PanelPlan[];
}

interface GridPlace {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/**
 * Places the rows below each other, and their panels from left to right. Returns panels in Grafana's format.
 */
export function layOut(rows: readonly RowPlan[]): object[] {
  const all: object[] = [];
  let id = 1;
  let y = 0;
  for (const { title, panels, isCollapsed = false } of rows) {
    const header = { id: id++, type: 'row', title, collapsed: isCollapsed, gridPos: placeOf(0, y++, 24, 1) };
    const inside: object[] = [];
    let x = 0;
    let lineHeight = 0;
    for (const plan of panels) {
      const height = plan.height ?? 8;
      if (x + plan.width > GRID_WIDTH) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      inside.push(panelOf(plan, id++, placeOf(x, y, plan.width, height)));
      x += plan.width;
      lineHeight = Math.max(lineHeight, height);
    }
    y += lineHeight;
    // Grafana keeps the panels of a collapsed row inside the row.
    all.push({ ...header, panels: isCollapsed ? inside : [] }, ...(isCollapsed ? [] : inside));
  }
  return all;
}

function placeOf(x: number, y: number, w: number, h: number): GridPlace {
  return { x, y, w, h };
}

function panelOf(plan: PanelPlan, id: number, gridPos: GridPlace): object {
  const { title, description, queries, type = 'timeseries', hasExemplars = false } = plan;
  const isInstant = type !== 'timeseries';
  return {
    id,
    type,
    title,
    description,
    gridPos,
    datasource: DATASOURCE,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      editorMode: 'code',
      range: !isInstant,
      instant: isInstant,
      ...(type === 'table' && { format: 'table' }),
      ...(hasExemplars && { exemplar: true }),
    })),
    fieldConfig: { defaults: fieldsOf(plan), overrides: [] },
    options: optionsOf(type),
    ...(type === 'table' && { transformations: [{ id: 'merge', options: {} }] }),
  };
}

function fieldsOf({ unit, limits, texts, isStacked = false, type = 'timeseries' }: PanelPlan): object {
  const steps = [
    { color: 'green', value: null },
    ...(limits === undefined
      ? []
      : [
          { color: 'yellow', value: limits[0] },
          { color: 'red', value: limits[1] },
        ]),
  ];
  const options = Object.fromEntries(Object.entries(texts ?? {}).map(([value, text]) => [value, { text }]));
  return {
    unit,
    color: { mode: type === 'timeseries' ? 'palette-classic' : 'thresholds' },
    mappings: texts === undefined ? [] : [{ type: 'value', options }],
    thresholds: { mode: 'absolute', steps },
    ...(type === 'timeseries' && {
      min: 0,
      custom: {
        drawStyle: 'line',
        lineWidth: 1,
        fillOpacity: isStacked ? 25 : 8,
        showPoints: 'never',
        spanNulls: false,
        stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
        thresholdsStyle: { mode: limits === undefined ? 'off' : 'line' },
      },
    }),
  };
}

function optionsOf(type: NonNullable<PanelPlan['type']>): object {
  const reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false };
  switch (type) {
    case 'timeseries':
      return {
        legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['mean', 'max'] },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'stat':
      return { reduceOptions, colorMode: 'value', graphMode: 'none', justifyMode: 'auto', textMode: 'auto' };
    case 'bargauge':
      return { reduceOptions, orientation: 'horizontal', displayMode: 'gradient', showUnfilled: true };
    case 'table':
      return { showHeader: true, cellHeight: 'sm' };
  }
}
