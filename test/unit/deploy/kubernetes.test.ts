/** Renders the manifests by kustomize, and checks them against Kubernetes' schemas and the program. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Deployment } from 'kubernetes-models/apps/v1';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { loadConfig } from '../../../src/config/loader.ts';
import type { Config } from '../../../src/config/types/config.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { COMPONENTS, renderComponents } from '../../support/deploy/kubernetes-components.ts';
import {
  manifestOf,
  noKustomize as skip,
  renderManifests,
  type Kind,
  type Rendered,
} from '../../support/deploy/manifests.ts';

const KUBERNETES = resolve(import.meta.dirname, '../../../deploy/kubernetes');

describe('the manifests for Kubernetes', { skip }, () => {
  let base: Rendered[] = [];
  let all: Rendered[] = [];
  before(() => {
    base = renderComponents([]);
    all = renderComponents(COMPONENTS);
  });

  const of = <K extends Kind>(kind: K, name = 'sluice', from = base): ReturnType<typeof manifestOf<K>> =>
    manifestOf(from, kind, name);
  const pod = (from = base): NonNullable<NonNullable<Deployment['spec']>['template']['spec']> =>
    of('Deployment', 'sluice', from).spec!.template.spec!;
  const container = (from = base): ReturnType<typeof pod>['containers'][number] => pod(from).containers[0]!;

  /** The configuration of the ConfigMap, as sluice reads it. */
  function loadConfigMap(): Config {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-manifests-'));
    try {
      const file = join(directory, 'sluice.yaml');
      writeFileSync(file, of('ConfigMap').data!['sluice.yaml']!);
      const { config, warnings } = loadConfig({ file, overrides: [], env: {} });
      assert.deepEqual(warnings, []);
      return config;
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  it('need neither a token nor an operator without components', () => {
    assert.deepEqual(base.map(({ kind }) => kind).toSorted(), [
      'ConfigMap',
      'Deployment',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'Service',
      'ServiceAccount',
    ]);
    assert.equal(loadConfigMap().admin.token, null);
    assert.equal(container().env, undefined);
    assert.equal(pod().volumes?.length, 1);
  });

  it('are what the top folder applies', () => {
    assert.deepEqual(renderManifests(KUBERNETES), base);
  });

  it('take the token and the certificate from Secrets that are not in the manifests', () => {
    assert.deepEqual(container(all).env, [
      { name: 'SLUICE_ADMIN_TOKEN', valueFrom: { secretKeyRef: { name: 'sluice-admin', key: 'token' } } },
    ]);
    assert.deepEqual(
      pod(all)
        .volumes?.map(({ name }) => name)
        .toSorted(),
      ['config', 'tls'],
    );
    assert.ok(!all.some(({ kind }) => (kind as string) === 'Secret'));
  });

  it('hold a configuration that sluice accepts, with the ports that they open', () => {
    const config = loadConfigMap();
    assert.equal(config.admin.address.host, '0.0.0.0', 'Prometheus comes from outside of the pod');
    const ports = Object.fromEntries(
      container().ports!.map(({ name, containerPort }) => [name, containerPort]),
    ) as Readonly<Record<string, number>>;
    assert.deepEqual(ports, { web: config.listeners[0]!.address.port, admin: config.admin.address.port });
  });

  it('request a core for each worker and a quarter for the primary', () => {
    const text = of('ConfigMap').data!['sluice.yaml']!;
    assert.match(text, /^workers: \{ l7: \d+, l4: \d+ \}$/m, 'fixed, not auto');
    const { requests, limits } = container().resources!;
    assert.equal(requests?.cpu, `${loadConfigMap().workers.l7 * 1000 + 250}m`);
    assert.equal(limits?.cpu, undefined, 'a CPU limit stops all threads when it is used up');
  });

  it('give a pod enough time to drain on SIGTERM, without a hook', () => {
    const { shutdown } = loadConfigMap();
    const needed = shutdown.readyDelayMs + shutdown.graceMs;
    assert.ok(pod().terminationGracePeriodSeconds! * 1000 >= needed + 10_000, `${needed} ms are needed`);
    const { periodSeconds } = container().readinessProbe!;
    assert.ok(shutdown.readyDelayMs > periodSeconds! * 1000, 'longer than a period of the readiness probe');
    assert.equal(container().lifecycle, undefined);
  });

  it('give commands that sluice has, and no rights', () => {
    assert.equal(parseArguments(container().args!, {}).kind, 'command');
    assert.deepEqual(container().readinessProbe!.httpGet, { path: '/readyz', port: 'admin' });
    assert.deepEqual(container().livenessProbe!.httpGet, { path: '/livez', port: 'admin' });
    assert.equal(pod().securityContext!.runAsNonRoot, true);
    assert.equal(container().securityContext!.readOnlyRootFilesystem, true);
    assert.deepEqual(
      [pod().serviceAccountName, pod().automountServiceAccountToken],
      [of('ServiceAccount').metadata!.name, false],
    );
    assert.ok(!all.some(({ kind }) => kind.includes('Role')));
  });

  it('find each other by their labels and ports', () => {
    const isIn = (part: object, whole: object): boolean =>
      Object.entries(part).every(([key, value]) => (whole as Record<string, unknown>)[key] === value);
    const labels = of('Deployment').spec!.template.metadata!.labels!;
    for (const name of ['sluice', 'sluice-admin']) {
      const { selector = {}, ports = [] } = of('Service', name).spec!;
      assert.ok(isIn(selector, labels), name);
      for (const { targetPort } of ports) {
        assert.ok(container().ports!.some((port) => port.name === targetPort));
      }
    }
    assert.ok(isIn(of('PodDisruptionBudget').spec!.selector!.matchLabels!, labels));
    const { selector, endpoints } = of('ServiceMonitor', 'sluice', all).spec;
    const admin = of('Service', 'sluice-admin');
    assert.ok(isIn(selector.matchLabels!, admin.metadata!.labels!));
    assert.equal(endpoints[0]!.path, '/metrics');
    assert.ok(admin.spec!.ports!.some(({ name }) => name === endpoints[0]!.port));
  });

  it('open the admin port to Prometheus only, and the others to all', () => {
    const { policyTypes, ingress = [] } = of('NetworkPolicy').spec!;
    assert.deepEqual(policyTypes, ['Ingress']);
    const guarded = ingress.filter(({ from }) => from !== undefined);
    const portsOf = (rules: typeof ingress): unknown[] =>
      rules.flatMap(({ ports = [] }) => ports.map(({ port }) => port));
    assert.deepEqual(portsOf(guarded), ['admin']);
    assert.deepEqual(portsOf(ingress.filter(({ from }) => from === undefined)), ['web']);
    for (const { from = [] } of guarded) {
      assert.ok(from.length > 0, 'an empty list admits everybody');
      for (const peer of from) {
        assert.ok(peer.namespaceSelector !== undefined && peer.podSelector !== undefined);
      }
    }
  });

  it('scale by a metric that sluice has', () => {
    const { scaleTargetRef, metrics = [] } = of('HorizontalPodAutoscaler', 'sluice', all).spec;
    of(scaleTargetRef.kind as Kind, scaleTargetRef.name);
    assert.deepEqual(
      metrics.map(({ pods }) => pods!.metric.name),
      [pageMetrics.sessionsActive.name],
    );
  });
});

describe('the page about Kubernetes', () => {
  it('names every component', () => {
    const page = readFileSync(join(KUBERNETES, '../../docs/operations/kubernetes.md'), 'utf8');
    for (const name of COMPONENTS) assert.ok(page.includes(`components/${name}`), name);
  });
});
