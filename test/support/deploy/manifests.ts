/** Renders manifests by kustomize, and checks them against the schemas of Kubernetes and the Prometheus operator. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Service, ServiceAccount } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';

const MODELS = {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  NetworkPolicy,
  PodDisruptionBudget,
  Service,
  ServiceAccount,
  ServiceMonitor,
} as const;

export type Kind = keyof typeof MODELS;

export interface Rendered {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Why this machine cannot render manifests. False if it can. */
export const noKustomize: string | false =
  spawnSync('kubectl', ['kustomize', '--help']).status === 0 ? false : 'kubectl is not installed';

/** Renders a folder with a kustomization. Throws if a manifest is not valid for its schema. */
export function renderManifests(directory: string): Rendered[] {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', directory]);
  assert.deepEqual([status, stderr.toString()], [0, '']);
  const found = parseAllDocuments(stdout.toString()).map((document) => document.toJS() as Rendered);
  for (const { kind, apiVersion, ...fields } of found) {
    const Model = MODELS[kind] as new (data: object) => { readonly apiVersion: string; validate(): void };
    const model = new Model(fields);
    model.validate();
    assert.equal(apiVersion, model.apiVersion);
  }
  return found;
}

/** Returns the manifest of a kind and a name. */
export function manifestOf<K extends Kind>(
  manifests: readonly Rendered[],
  kind: K,
  name: string,
): InstanceType<(typeof MODELS)[K]> {
  const found = manifests.find((candidate) => candidate.kind === kind && candidate.metadata.name === name);
  assert.ok(found !== undefined, `${kind} ${name}`);
  return found as unknown as InstanceType<(typeof MODELS)[K]>;
}
