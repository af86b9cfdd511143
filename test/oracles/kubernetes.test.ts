import { spawnSync } from 'node:child_process';
import { manifestStream } from '../../lib/helm/manifests';
import type { JsonObject } from '../../lib/helm/values-file';
import type { Json, KubernetesObject } from '../../lib/staged';
import { describeWith } from '../left-out';
import { KUBERNETES_VERSION, tools } from '../tools';
import { isExample, objectsFor, scenariosOf, type Scenario } from './scenarios';

const CHARTS_JUDGED = ['ipsec', 'wireguard'] as const;

/** Values that are passed on as they are: in generated files they hold anything, and the API server is to judge them. */
const PASSED_ON = [
  'affinity',
  'dnsConfig',
  'extraContainers',
  'extraEnv',
  'extraInitContainers',
  'extraObjects',
  'extraVolumeMounts',
  'extraVolumes',
  'hostAliases',
  'networkPolicy',
  'podSecurityContext',
  'securityContext',
  'tolerations',
  'topologySpreadConstraints',
];

/** The values without those, wherever they stand. */
function withoutPassedOn(values: Json): Json {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return values;
  const kept = Object.entries(values).filter(([key]) => !PASSED_ON.includes(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutPassedOn(value)]));
}

function ownObjects({ name, chart, values }: Scenario): KubernetesObject[] {
  const isGenerated = name.includes('generated');
  if (!isGenerated) return objectsFor({ chart, values });
  return objectsFor({ chart, values: withoutPassedOn(values) as JsonObject });
}

/** Objects of operators, which Kubernetes' own schemas do not know. */
function isOfOperator({ apiVersion }: KubernetesObject): boolean {
  return /^(?:monitoring\.coreos\.com|cert-manager\.io)\//.test(apiVersion);
}

describeWith(['kubeconform', 'kubernetes-schemas'], 'kubeconform knows every field', () => {
  function validate(stream: string): { status: number | null; stdout: string } {
    const flags = [
      '-strict',
      '-kubernetes-version',
      KUBERNETES_VERSION,
      '-schema-location',
      tools.kubernetesSchemas(),
      '-',
    ];
    return spawnSync(tools.kubeconform(), flags, { input: stream, encoding: 'utf8' });
  }

  test('of the objects of all examples and generated values', () => {
    const stream = CHARTS_JUDGED.flatMap(scenariosOf)
      .map((scenario) => manifestStream(ownObjects(scenario).filter((object) => !isOfOperator(object))))
      .join('');
    expect(validate(stream)).toMatchObject({ status: 0, stdout: '' });
  });

  const [first] = scenariosOf('wireguard');
  const good = manifestStream(first === undefined ? [] : ownObjects(first));
  test.each([
    ['a field that does not exist', '  replicas: 1', '  replica: 1'],
    ['a wrong type', '  replicas: 1', '  replicas: one'],
    ['a missing field', /^ {2}selector:$/m, '  matcher:'],
  ])('but refuses %s in one line', (_what, line, bad) => {
    expect(good).toMatch(line);
    expect(validate(good.replace(line, bad)).status).not.toBe(0);
  });
});

interface Complaint {
  readonly id: string;
  readonly container: string;
  readonly summary: string;
}

/** What kube-score says against our objects, and why it stays so. */
const EXCEPTIONS: readonly (Partial<Complaint> & { readonly why: string })[] = [
  {
    id: 'container-image-pull-policy',
    why: 'an image of a version starts without its registry; image.pullPolicy is a value',
  },
  {
    id: 'container-resources',
    summary: 'CPU limit is not set',
    why: 'a CPU limit throttles packets; resources.limits is a value',
  },
  {
    id: 'container-security-context-privileged',
    container: 'ip-forwarding',
    why: '/proc/sys is read-only to every other container; it ends before the server starts, and ipForwarding.method avoids it',
  },
  { id: 'container-security-context-user-group-id', container: 'ip-forwarding', why: 'only root writes a sysctl' },
  {
    id: 'container-security-context-user-group-id',
    container: 'wireguard',
    why: 'NET_ADMIN reaches a process of root only',
  },
  {
    id: 'container-security-context-user-group-id',
    container: 'userspace',
    why: 'NET_ADMIN reaches a process of root only',
  },
  {
    id: 'container-security-context-user-group-id',
    container: 'charon',
    why: 'NET_ADMIN reaches a process of root only',
  },
  {
    id: 'container-security-context-user-group-id',
    container: 'network',
    why: 'NET_ADMIN reaches a process of root only',
  },
  {
    id: 'container-security-context-user-group-id',
    container: 'network-once',
    why: 'NET_ADMIN reaches a process of root only',
  },
  {
    id: 'container-security-context-user-group-id',
    container: 'filter',
    why: 'NET_ADMIN reaches a process of root only',
  },
  {
    id: 'container-security-context-user-group-id',
    container: 'frr',
    why: 'it starts FRR’s daemons, which become another user by themselves; NET_ADMIN reaches a process of root only',
  },
  {
    id: 'container-security-context-user-group-id',
    container: 'control',
    why: 'the socket of charon belongs to root; it has no capability at all',
  },
  {
    id: 'deployment-replicas',
    why: 'a session belongs to one process: a second replica with the same key would take it',
  },
  { id: 'deployment-strategy', why: 'Recreate, because two pods would take each other’s sessions' },
  {
    id: 'pod-networkpolicy',
    why: 'in mode routed packets for the peers look as if they were for the pod: a policy would stop them',
  },
  { id: 'service-type', why: 'the user chose a node port' },
];

interface Score {
  readonly checks: readonly {
    readonly check: { readonly id: string };
    readonly grade: number;
    readonly skipped: boolean;
    readonly comments: readonly { readonly path: string; readonly summary: string }[] | null;
  }[];
}

const GOOD_GRADE = 10;

describeWith(['kube-score'], 'kube-score finds nothing but the listed exceptions', () => {
  function complaints(objects: readonly KubernetesObject[]): Complaint[] {
    const flags = ['score', '--output-format', 'json', '--kubernetes-version', 'v1.34', '-'];
    const { stdout } = spawnSync(tools.kubeScore(), flags, { input: manifestStream(objects), encoding: 'utf8' });
    return (JSON.parse(stdout) as Score[]).flatMap(({ checks }) =>
      checks
        .filter(({ grade, skipped }) => !skipped && grade < GOOD_GRADE)
        .flatMap(({ check: { id }, comments }) =>
          (comments ?? [{ path: '', summary: '' }]).map(({ path, summary }) => ({ id, container: path, summary })),
        ),
    );
  }

  const covers = (exception: (typeof EXCEPTIONS)[number], complaint: Complaint): boolean =>
    (['id', 'container', 'summary'] as const).every(
      (key) => exception[key] === undefined || exception[key] === complaint[key],
    );
  const open = (objects: readonly KubernetesObject[]): Complaint[] =>
    complaints(objects).filter((complaint) => !EXCEPTIONS.some((exception) => covers(exception, complaint)));
  const scenarios = CHARTS_JUDGED.flatMap(scenariosOf).filter(isExample);

  test.each(scenarios)('in $name', (scenario) => {
    expect(open(ownObjects(scenario))).toEqual([]);
  });

  test('and every exception is needed', () => {
    const all = scenarios.flatMap((scenario) => complaints(ownObjects(scenario)));
    expect(EXCEPTIONS.filter((exception) => !all.some((complaint) => covers(exception, complaint)))).toEqual([]);
  });

  test('but it refuses a writable root file system in one line', () => {
    const values = { securityContext: { readOnlyRootFilesystem: false } };
    expect(open(objectsFor({ chart: 'wireguard', values }))).not.toEqual([]);
  });
});
