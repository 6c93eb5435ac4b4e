/** Every field of every rendered manifest is one that the API has: a misspelt one would do nothing. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fieldFaults } from '../../support/deploy/manifest-fields.ts';
import { COMPONENTS, renderComponents } from '../../support/deploy/kubernetes-components.ts';
import { noKustomize as skip, renderManifests, type Rendered } from '../../support/deploy/manifests.ts';

const EXAMPLE = resolve(import.meta.dirname, '../../../config/examples/kubernetes');

/** Returns every subset of the components. */
function combinations(): string[][] {
  return COMPONENTS.reduce<string[][]>(
    (found, name) => [...found, ...found.map((set) => [...set, name])],
    [[]],
  );
}

type Fields = Record<string, unknown>;

/** Returns a copy of a manifest of a kind with one more, or another, value: its path has dots. */
function changed(manifests: readonly Rendered[], kind: string, path: string, value: unknown): Rendered {
  const copy = structuredClone(manifests.find((manifest) => manifest.kind === kind)!);
  const [last = '', ...outer] = path.split('.').reverse();
  const owner = outer.reduceRight<Fields>((fields, key) => fields[key] as Fields, copy as unknown as Fields);
  owner[last] = value;
  return copy;
}

describe('the fields of the manifests', { skip }, () => {
  it('are known to the API, in every combination of components and in the example', () => {
    const rendered = [...combinations().map(renderComponents), renderManifests(EXAMPLE)];
    assert.equal(rendered.length, 2 ** COMPONENTS.length + 1);
    const distinct = new Map(rendered.flat().map((manifest) => [JSON.stringify(manifest), manifest]));
    assert.deepEqual(fieldFaults([...distinct.values()]), []);
  });

  it('are faults if they are misspelt or have a value of another type, at any depth', () => {
    const all = renderComponents(COMPONENTS);
    const faults = fieldFaults([
      ...all,
      changed(all, 'Deployment', 'spec.template.spec.terminationGracePeriodSecs', 30),
      changed(all, 'ServiceMonitor', 'spec.endpoints.0.intervall', '10s'),
      changed(all, 'Service', 'spec.ports.0.port', 'eighty'),
      changed(all, 'NetworkPolicy', 'apiVersion', 'networking.k8s.io/v0'),
    ]);
    const unknown = 'Object literal may only specify known properties, and';
    assert.deepEqual(
      faults.map((fault) => fault.replace(/ in type .*| or its corresponding type declarations.*/s, '')),
      [
        `Deployment sluice: ${unknown} '"terminationGracePeriodSecs"' does not exist`,
        `ServiceMonitor sluice: ${unknown} '"intervall"' does not exist`,
        "Service sluice: Type 'string' is not assignable to type 'number'.",
        "NetworkPolicy sluice: Cannot find module 'kubernetes-models/networking.k8s.io/v0'",
      ],
    );
  });
});
