import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from '../processes/program.ts';
import { renderManifests, type Rendered } from './manifests.ts';

const KUBERNETES = join(ROOT, 'deploy/kubernetes');

/** The components of `deploy/kubernetes`. Each works with and without the others. */
export const COMPONENTS = ['servicemonitor', 'autoscaler', 'tls', 'admin-token'] as const;

/** Renders the base with components. Throws if a manifest is not valid for its schema. */
export function renderComponents(components: readonly string[]): Rendered[] {
  // kustomize reads relative paths only.
  const directory = mkdtempSync(join(tmpdir(), 'sluice-kubernetes-'));
  try {
    const path = relative(directory, KUBERNETES);
    const list = components.map((name) => `  - ${path}/components/${name}\n`).join('');
    writeFileSync(
      join(directory, 'kustomization.yaml'),
      `resources:\n  - ${path}/base\n${list === '' ? '' : `components:\n${list}`}`,
    );
    return renderManifests(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
