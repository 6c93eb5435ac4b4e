import type { MicroCase } from './micro-case.ts';

const SUITES = {
  frames: () => import('./frames.ts'),
  handshakes: () => import('./handshakes.ts'),
  tokens: () => import('./tokens.ts'),
  routes: () => import('./routes.ts'),
  limits: () => import('./limits.ts'),
  addresses: () => import('./addresses.ts'),
  balancers: () => import('./balancers.ts'),
  telemetry: () => import('./telemetry.ts'),
} as const satisfies Record<string, () => Promise<{ default: () => MicroCase[] }>>;
export type SuiteName = keyof typeof SUITES;

export const SUITE_NAMES = Object.keys(SUITES) as SuiteName[];

/** Loads the cases of a suite. Rejects if the sources lack the measured code. */
export async function casesOf(name: SuiteName): Promise<readonly MicroCase[]> {
  const { default: cases } = await SUITES[name]();
  return cases();
}
