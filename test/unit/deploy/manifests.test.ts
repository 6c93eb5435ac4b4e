/** Checks that the files under deploy/ fit together, and fit the program. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { loadConfig } from '../../../src/config/loader.ts';
import type { Config } from '../../../src/config/types/config.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const DEPLOY = join(ROOT, 'deploy');
const KUBERNETES = join(DEPLOY, 'kubernetes');

type Labels = Readonly<Record<string, string>>;
interface Port {
  readonly name: string;
  readonly containerPort?: number;
  readonly targetPort?: string;
}
interface Container {
  readonly args: readonly string[];
  readonly ports: readonly Port[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: Readonly<Record<string, unknown>> };
  }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Labels };
  readonly data: Labels;
  readonly spec: unknown;
}

/** The files of manifests: not the list of them, nor the token that an operator has made. */
const FILES = readdirSync(KUBERNETES).filter(
  (file) => file.endsWith('.yaml') && file !== 'kustomization.yaml',
);

interface Kustomization {
  readonly resources: readonly string[];
  readonly secretGenerator: readonly { readonly name: string; readonly files: readonly string[] }[];
}

function kustomization(): Kustomization {
  const [document] = parseAllDocuments(readFileSync(join(KUBERNETES, 'kustomization.yaml'), 'utf8'));
  return document!.toJS() as Kustomization;
}

/** Reads every manifest. Throws if a file is not YAML, or has a key twice. */
function manifests(): Manifest[] {
  return FILES.flatMap((file) =>
    parseAllDocuments(readFileSync(join(KUBERNETES, file), 'utf8')).map((document) => {
      assert.deepEqual([...document.errors, ...document.warnings], [], file);
      return document.toJS() as Manifest;
    }),
  );
}

const found = manifests();
const of = (kind: string, name = 'sluice'): Manifest => {
  const manifest = found.find((candidate) => candidate.kind === kind && candidate.metadata.name === name);
  assert.ok(manifest !== undefined, `${kind} ${name}`);
  return manifest;
};

interface DeploymentSpec {
  readonly selector: { readonly matchLabels: Labels };
  readonly template: {
    readonly metadata: { readonly labels: Labels };
    readonly spec: {
      readonly terminationGracePeriodSeconds: number;
      readonly securityContext: { readonly runAsNonRoot: boolean };
      readonly containers: readonly [Container];
    };
  };
}
const deployment = of('Deployment').spec as DeploymentSpec;
const pod = deployment.template.spec;
const [container] = pod.containers;

function isIn(part: Labels, whole: Labels): boolean {
  return Object.entries(part).every(([key, value]) => whole[key] === value);
}

/** The configuration of the ConfigMap, as sluice reads it. */
function loadConfigMap(): Config {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-manifests-'));
  try {
    const file = join(directory, 'sluice.yaml');
    writeFileSync(file, of('ConfigMap').data['sluice.yaml']!);
    const { config, warnings } = loadConfig({ file, overrides: [], env: {} });
    assert.deepEqual(warnings, []);
    return config;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the manifests for Kubernetes', () => {
  it('are all named in the kustomization', () => {
    assert.deepEqual(kustomization().resources.toSorted(), FILES.toSorted());
    assert.deepEqual(found.map(({ kind }) => kind).toSorted(), [
      'ConfigMap',
      'Deployment',
      'HorizontalPodAutoscaler',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'Service',
      'ServiceMonitor',
    ]);
  });

  it('hold a configuration that sluice accepts, with the ports that they open', () => {
    const config = loadConfigMap();
    assert.equal(config.admin.address.host, '0.0.0.0', 'Prometheus comes from outside of the pod');
    const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort]));
    const [web] = config.listeners;
    assert.deepEqual(ports, { web: web!.address.port, admin: config.admin.address.port });
  });

  it('give a pod enough time for its drain', () => {
    const { shutdown, drain } = loadConfigMap();
    const needed = shutdown.readyDelayMs + drain.deadlineMs + drain.jitterMs + shutdown.graceMs;
    assert.ok(pod.terminationGracePeriodSeconds * 1000 >= needed + 10_000, `${needed} ms are needed`);
    assert.ok(shutdown.readyDelayMs > 2000, 'longer than a period of the readiness probe');
  });

  it('give commands that sluice has, and ask pages that it serves', () => {
    const [node, script, ...drain] = container.lifecycle.preStop.exec.command;
    assert.deepEqual([node, script], ['node', 'dist/main.js']);
    for (const argv of [container.args, drain]) assert.equal(parseArguments(argv, {}).kind, 'command');
    assert.deepEqual(container.readinessProbe.httpGet, { path: '/readyz', port: 'admin' });
    assert.deepEqual(container.livenessProbe.httpGet, { path: '/livez', port: 'admin' });
    assert.ok(pod.securityContext.runAsNonRoot);
    assert.equal(container.securityContext.readOnlyRootFilesystem, true);
  });

  it('find each other by their labels and ports', () => {
    const { labels } = deployment.template.metadata;
    interface ServiceSpec {
      readonly selector: Labels;
      readonly ports: readonly Port[];
    }
    const services = found.filter(({ kind }) => kind === 'Service');
    for (const service of services) {
      const { selector, ports } = service.spec as ServiceSpec;
      assert.ok(isIn(selector, labels), service.metadata.name);
      for (const { targetPort } of ports) assert.ok(container.ports.some(({ name }) => name === targetPort));
    }
    const selected = (manifest: Manifest): Labels =>
      (manifest.spec as { selector: { matchLabels: Labels } }).selector.matchLabels;
    for (const manifest of [of('Deployment'), of('PodDisruptionBudget')])
      assert.ok(isIn(selected(manifest), labels));
    const monitored = services.filter(({ metadata }) =>
      isIn(selected(of('ServiceMonitor')), metadata.labels),
    );
    assert.deepEqual(
      monitored.map(({ metadata }) => metadata.name),
      ['sluice-admin'],
    );
    const { endpoints } = of('ServiceMonitor').spec as {
      endpoints: readonly { port: string; path: string }[];
    };
    assert.equal(endpoints[0]!.path, '/metrics');
    assert.ok((monitored[0]!.spec as ServiceSpec).ports.some(({ name }) => name === endpoints[0]!.port));
  });

  it('have no admin token, and cannot be applied until an operator has made one', () => {
    assert.equal(loadConfigMap().admin.token, null);
    const [secret, ...others] = kustomization().secretGenerator;
    assert.deepEqual([others, secret!.name, secret!.files], [[], 'sluice', ['admin-token']]);
    const token = 'deploy/kubernetes/admin-token';
    const ignored = readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n');
    assert.ok(ignored.includes(token), 'it gets into no commit');
    const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
    assert.ok(files.includes(`!${token}`), 'it gets into no package');
    // Neither a fixed value nor `optional`: without the Secret no container starts.
    assert.deepEqual(
      container.env.filter(({ name }) => /TOKEN|SECRET|PASSWORD/.test(name)),
      [
        {
          name: 'SLUICE_ADMIN_TOKEN',
          valueFrom: { secretKeyRef: { name: secret!.name, key: 'admin-token' } },
        },
      ],
    );
  });

  it('open the admin port to Prometheus only, and the others to all', () => {
    interface Rule {
      readonly ports: readonly { readonly port: string }[];
      readonly from?: readonly { readonly namespaceSelector?: object; readonly podSelector?: object }[];
    }
    const { podSelector, policyTypes, ingress } = of('NetworkPolicy').spec as {
      podSelector: { matchLabels: Labels };
      policyTypes: readonly string[];
      ingress: readonly Rule[];
    };
    assert.ok(isIn(podSelector.matchLabels, deployment.template.metadata.labels));
    assert.deepEqual(policyTypes, ['Ingress']);
    const open = ingress.filter(({ from }) => from === undefined);
    const guarded = ingress.filter(({ from }) => from !== undefined);
    const portsOf = (rules: readonly Rule[]): string[] =>
      rules.flatMap(({ ports }) => ports.map(({ port }) => port));
    assert.deepEqual(portsOf(guarded), ['admin']);
    assert.deepEqual(
      portsOf(open),
      container.ports.map(({ name }) => name).filter((name) => name !== 'admin'),
    );
    for (const { from = [] } of guarded) {
      assert.ok(from.length > 0, 'an empty list admits everybody');
      for (const peer of from) {
        assert.ok(peer.namespaceSelector !== undefined && peer.podSelector !== undefined);
      }
    }
  });

  it('scale by a metric that there is', () => {
    interface AutoscalerSpec {
      readonly scaleTargetRef: { readonly kind: string; readonly name: string };
      readonly metrics: readonly { readonly pods: { readonly metric: { readonly name: string } } }[];
    }
    const { scaleTargetRef, metrics } = of('HorizontalPodAutoscaler').spec as AutoscalerSpec;
    of(scaleTargetRef.kind, scaleTargetRef.name);
    assert.deepEqual(
      metrics.map(({ pods }) => pods.metric.name),
      [pageMetrics.sessionsActive.name],
    );
  });
});

describe('the Dockerfile', () => {
  const lines = readFileSync(join(DEPLOY, 'docker/Dockerfile'), 'utf8').replaceAll('\\\n', ' ').split('\n');
  const instructions = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

  it('copies existing files that .dockerignore does not exclude', () => {
    const admitted = readFileSync(join(DEPLOY, 'docker/Dockerfile.dockerignore'), 'utf8').split('\n');
    for (const copy of instructions('COPY').filter((line) => !line.startsWith('--from'))) {
      for (const source of copy.split(' ').slice(0, -1)) {
        const path = source.replace(/^\.\//, '');
        assert.ok(existsSync(join(ROOT, path)), path);
        assert.ok(admitted.includes(`!${path}`), `${path} is kept out`);
      }
    }
  });

  it('ends with an unprivileged user, a health check, and commands that sluice has', () => {
    assert.deepEqual(
      new Set(instructions('FROM').map((line) => line.split(' ')[0])),
      new Set(['node:22-slim']),
    );
    assert.deepEqual(instructions('USER'), ['node']);
    const [health = ''] = instructions('HEALTHCHECK');
    const argvOf = (text: string): string[] => JSON.parse(text) as string[];
    const [node, script, ...status] = argvOf(/CMD (\[.*\])$/.exec(health)?.[1] ?? '');
    assert.deepEqual([node, script], argvOf(instructions('ENTRYPOINT')[0]!));
    for (const argv of [status, argvOf(instructions('CMD')[0]!)]) {
      assert.equal(parseArguments(argv, {}).kind, 'command');
    }
  });
});
