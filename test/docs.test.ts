/** What the documentation says is so: its values, commands, programs, links and tables. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import ts from 'typescript';
import packageJson from '../package.json';
import { parse, parseAllDocuments } from 'yaml';
import { CHARTS } from '../charts';
import type { HelmChart } from '../lib/helm/chart';
import { loadValues } from '../lib/helm/load-values';
import { wireguardValues } from '../values/wireguard';
import { CommandLine } from './cli/command-line';
import { describeWith } from './left-out';
import { HELM_VERSIONS, KUBERNETES_VERSION, tools } from './tools';
import { Pod, SCRIPTS } from './wireguard/script-pod';

const root = path.join(__dirname, '..');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...fs
    .readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .sort(),
];
/** Those that a reader follows from the first command to the last. */
const isTask = (page: string): boolean => page.startsWith('docs/wireguard/');
const textOf = new Map(pages.map((page) => [page, fs.readFileSync(path.join(root, page), 'utf8')]));

interface Block {
  readonly page: string;
  readonly line: number;
  /** What stands behind the fence: `yaml values site.yaml`. */
  readonly info: readonly string[];
  readonly text: string;
}

function blocksOf(page: string, text: string): Block[] {
  const found: Block[] = [];
  let open: { line: number; indent: number; info: string[]; lines: string[] } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^( *)```(.*)$/.exec(line);
    if (fence === null) open?.lines.push(line.slice(Math.min(open.indent, line.search(/[^ ]|$/))));
    else if (open === undefined) {
      const [, { length } = '', info = ''] = fence;
      open = { line: index + 1, indent: length, info: info.split(' '), lines: [] };
    } else {
      found.push({ page, line: open.line, info: open.info, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    }
  }
  return found;
}

const blocks = [...textOf].flatMap(([page, text]) => blocksOf(page, text));
const titled = (wanted: readonly Block[]): [title: string, block: Block][] =>
  wanted.map((block) => [`${block.page}:${String(block.line)}`, block]);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-docs-'));

beforeAll(() => {
  fs.writeFileSync(path.join(folder, 'old.env'), 'PEERS=2\nSERVERURL=vpn.example.com\n');
  fs.writeFileSync(
    path.join(folder, 'old-values.yaml'),
    `localCidrs: [10.234.0.0/16, 172.27.48.0/20, 10.233.0.0/16]\ntunnels:\n${[1, 2]
      .map(
        (n) =>
          `- {publicIP: 198.51.100.4${n}, nodeName: node-${n}, localTunnelIP: 169.254.${n}.2, peerTunnelIP: 169.254.${n}.1}\n`,
      )
      .join('')}`,
  );
  for (const { page, info, text } of blocks)
    if (info[1] === 'values' && info[2] !== undefined && !isTask(page))
      fs.writeFileSync(path.join(folder, info[2]), text);
});

afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Runs our command from its sources. */
function cli(args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const tsx = path.join(root, 'node_modules/tsx/dist/cli.mjs');
  return spawnSync(process.execPath, [tsx, path.join(root, 'lib/cli/main.ts'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
}

function objectsOf(values: string): { kind: string; metadata: { name: string }; [key: string]: unknown }[] {
  const file = path.join(folder, 'block.yaml');
  fs.writeFileSync(file, values);
  const chart = CHARTS[chartOf(values)] as unknown as HelmChart;
  return chart.objects({ values: loadValues({ files: [file] }).values });
}

/** The chart whose values these are. */
const chartOf = (values: string): 'ipsec' | 'wireguard' =>
  /^(?:cluster|gateways|tunnels):/m.test(values) ? 'ipsec' : 'wireguard';

describe('values', () => {
  const yaml = blocks.filter(({ info }) => info[0] === 'yaml');
  const refused = blocks.filter(({ info }) => info[1] === 'check').map(({ info }) => info[2]);

  test('are marked as such', () => {
    expect(yaml.filter(({ info }) => info[1] !== 'values')).toEqual([]);
    expect(yaml.length).toBeGreaterThan(8);
  });

  test.each(titled(yaml.filter(({ info }) => info[2] === undefined || !refused.includes(info[2]))))(
    'of %s are accepted',
    (_title, { text }) => {
      expect(objectsOf(text).map(({ kind }) => kind)).toContain('Deployment');
    },
  );

  test.each(titled(blocks.filter(({ info }) => info[1] === 'check')))(
    'of %s are refused with that text',
    (_title, { info, text }) => {
      const file = info[2] ?? '';
      const { status, stderr } = cli(['check', chartOf(fs.readFileSync(path.join(folder, file), 'utf8')), '-f', file]);
      expect([status, stderr]).toEqual([1, text]);
    },
  );
});

/** Lines of `sh` blocks, and code within lines that is a call of our command; tasks are followed as a whole below. */
const commands = [
  ...blocks
    .filter(({ page, info }) => info[0] === 'sh' && !isTask(page))
    .flatMap(({ page, text }) => text.split('\n').map((line) => ({ page, line }))),
  ...[...textOf].flatMap(([page, text]) =>
    [...text.matchAll(/`(npx cdk8s-vpn [^`\n]+)`/g)].map((match) => ({ page, line: match[1] ?? '' })),
  ),
].map(({ page, line }) => ({ page, line: line.replace(/ +#.*| +\|.*/, '').trim() }));

describe('commands', () => {
  const ours = [...new Set(commands.flatMap(({ line }) => (/^(npx )?cdk8s-vpn /.test(line) ? [line] : [])))];

  test('are there', () => {
    for (const verb of ['synth', 'check', 'chart', 'keys', 'showconf', 'import', 'images', 'examples'])
      expect(ours.join('\n')).toContain(`cdk8s-vpn ${verb}`);
  });

  test.each(ours)('%s', (line) => {
    const args = line.replace(/^(npx )?cdk8s-vpn /, '').split(' ');
    // What a reader learns from the running pod.
    if (args[0] === 'showconf' && args[1] === 'wireguard') args.push('--set', `serverPublicKey=${SERVER.publicKey}`);
    const { status, stdout, stderr } = cli(args);
    expect([status, stderr]).toEqual([0, '']);
    if (/ synth (?!.* -o )/.test(line)) expect(stdout).toContain('kind: Deployment');
    const output = / -o (\S+)/.exec(line)?.[1];
    if (output !== undefined) expect(fs.readdirSync(path.join(folder, output))).not.toEqual([]);
  });

  test('of npm are scripts of the package', () => {
    const scripts = commands.flatMap(({ line }) =>
      [...line.matchAll(/npm (?:run )?(\w+)/g)].map((match) => match[1] ?? ''),
    );
    expect(scripts.length).toBeGreaterThan(4);
    expect(
      scripts.filter((name) => !['ci', 'install'].includes(name) && !Object.hasOwn(packageJson.scripts, name)),
    ).toEqual([]);
  });

  test('name the Secret that the pod waits for', () => {
    const { stdout } = cli(['synth', 'wireguard', '--release', 'home', '--namespace', 'vpn']);
    const named = [...textOf].flatMap(([page, text]) =>
      isTask(page) ? [] : [...text.matchAll(/wg genkey \|.* secret generic (\S+) --from-file=([a-z-]+)=/g)],
    );
    expect(named.length).toBeGreaterThan(0);
    for (const [, secret = '', key = ''] of named) {
      expect(stdout).toContain(`secretName: ${secret}\n`);
      expect(stdout).toContain(`key: ${key}\n`);
    }
  });

  describeWith(['helm-4.3.1'], 'of Helm', () => {
    const installs = commands.flatMap(({ line }) => /^helm (?:install|upgrade --install) (.*)/.exec(line)?.[1] ?? []);

    test.each(installs)('helm install %s', (rest) => {
      for (const chart of Object.keys(CHARTS)) cli(['chart', chart, '-o', 'dist/charts']);
      const helm = spawnSync(
        tools.helm('4.3.1'),
        ['template', ...rest.split(' '), '--kube-version', KUBERNETES_VERSION],
        { cwd: folder, encoding: 'utf8' },
      );
      expect([helm.status, helm.stderr]).toEqual([0, '']);
    });
  });
});

/** A key that is published in the examples; never use it. */
const SERVER = {
  privateKey: 'CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICEg=',
  publicKey: 'MdSras7slhE3kXA3k25gcW+sVzr+lNnahKgCBEjfwRI=',
};
const ALICE = {
  privateKey: 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=',
  publicKey: 'E75P6uryBMf9M1j8nAByGIHRdCeBKCJ+xnTzf3/pe20=',
};
const OFFICE = { publicKey: 'aJZ//CUyCTuiGyCq/WaWGo1dshflX4+mTIR5fAJKIeY=' };
const PRESHARED = 'FUzVoqSn/MGw+bPWTyzDU8eL2sO8VVTBl3D3HVNkZCU=';
const KEY = /[A-Za-z0-9+/]{43}=/g;

/** What a reader of a page has before its first command, and what must hold after its last one; both are shell. */
const TASKS: Readonly<Record<string, { before: string; after?: string }>> = (() => {
  const server = `npx cdk8s-vpn chart wireguard -o dist/charts
    kubectl create namespace vpn
    echo ${SERVER.privateKey} |
      kubectl -n vpn create secret generic home-wireguard-private-key --from-file=private-key=/dev/stdin >/dev/null`;
  return {
    'docs/wireguard/first-phone.md': {
      before: '',
      after: `grep -qx 'Endpoint = vpn.example.com:51820' "$CLUSTER/qr" && grep -q '^PrivateKey = ' "$CLUSTER/qr"`,
    },
    'docs/wireguard/site-to-site.md': {
      before: server,
      after: `grep -qx 'ListenPort = 51820' "$CLUSTER/router/cluster.conf"
        grep -q 'alert: WireGuardPeerSilent' "$CLUSTER/objects.yaml"`,
    },
    'docs/wireguard/rotate-a-key.md': {
      before: `${server}
        kubectl -n vpn create secret generic wireguard-psk --from-literal=alice=${PRESHARED} >/dev/null`,
      after: `grep -q '^PresharedKey' alice.conf && ! grep -q '${SERVER.publicKey}' alice-next.conf`,
    },
    'docs/wireguard/from-linuxserver.md': {
      before: `volume=$CLUSTER/linuxserver/config
        mkdir -p "$volume/server" "$volume/peer_Alice" "$volume/peer_office"
        echo ${SERVER.privateKey} >"$volume/server/privatekey-server"
        echo ${SERVER.publicKey} >"$volume/server/publickey-server"
        echo ${ALICE.privateKey} >"$volume/peer_Alice/privatekey-peer_Alice"
        echo ${ALICE.publicKey} >"$volume/peer_Alice/publickey-peer_Alice"
        echo ${OFFICE.publicKey} >"$volume/peer_office/publickey-peer_office"
        address=2
        for peer in peer_Alice peer_office; do
          echo ${PRESHARED} >"$volume/$peer/presharedkey-$peer"
          printf '[Interface]\nAddress = 10.13.13.%s\n[Peer]\nAllowedIPs = 0.0.0.0/0, ::/0\n' $address >"$volume/$peer/$peer.conf"
          address=$((address + 1))
        done
        cat >"$CLUSTER/linuxserver/deployment.yaml" <<END
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: wireguard
          image: lscr.io/linuxserver/wireguard:latest
          env:
            - {name: PUID, value: "1000"}
            - {name: SERVERURL, value: auto}
            - {name: PEERS, value: "Alice,office"}
            - {name: PEERDNS, value: auto}
            - {name: PERSISTENTKEEPALIVE_PEERS, value: office}
            - {name: SERVER_ALLOWEDIPS_PEER_office, value: 192.168.10.0/24}
END`,
      after: `kubectl -n vpn get secret wireguard-psk -o jsonpath='{.data.alice}' | base64 -d | grep -qx '${PRESHARED}'`,
    },
    'docs/wireguard/air-gapped.md': {
      before: `echo '{"auths":{}}' >auth.json`,
      after: 'npx cdk8s-vpn images wireguard -f site.yaml -f mirror.yaml | sort | diff - "$CLUSTER/copied"',
    },
  };
})();

/**
 * The programs on a reader's PATH. Those that need a cluster keep what they are given in $CLUSTER, after kubectl or Helm
 * has judged it; `kubectl exec` runs in a pod whose server.sh is the real one.
 */
const PROGRAMS = {
  npx: '[ "$1" = cdk8s-vpn ] || exit 127; shift; exec $CDK8S_VPN "$@"',
  helm: `
verb=$1
shift
[ "$1" != --install ] || shift
case $verb in
package) exec "$HELM" package "$@" >/dev/null ;;
install | upgrade) exec "$HELM" template "$@" --kube-version "$KUBERNETES" >"$CLUSTER/objects.yaml" ;;
*) echo "stub of helm: $verb" >&2; exit 1 ;;
esac`,
  kubectl: `
[ "$1" != -n ] || shift 2
verb=$1
shift
case "$verb $1" in
'create namespace') "$KUBECTL" create "$@" --dry-run=client -o yaml >"$CLUSTER/namespace-$2.yaml" ;;
'label namespace')
  file=$CLUSTER/namespace-$2.yaml
  shift 2
  "$KUBECTL" label --local -f "$file" "$@" -o yaml >/dev/null ;;
'create secret')
  [ ! -e "$CLUSTER/secret-$3.yaml" ] || { echo "secrets $3 already exists" >&2; exit 1; }
  "$KUBECTL" create "$@" --dry-run=client -o yaml >"$CLUSTER/new"
  mv "$CLUSTER/new" "$CLUSTER/secret-$3.yaml" ;;
'patch secret')
  file=$CLUSTER/secret-$2.yaml
  shift 2
  "$KUBECTL" patch --local -f "$file" "$@" -o yaml >"$CLUSTER/new"
  mv "$CLUSTER/new" "$file" ;;
'get secret')
  file=$CLUSTER/secret-$2.yaml
  shift 2
  "$KUBECTL" patch --local -f "$file" -p '{}' "$@" ;;
'get deploy/wireguard') cat "$CLUSTER/linuxserver/deployment.yaml" ;;
'get service') echo '{"ip":"203.0.113.10"}' ;;
'apply -f')
  csplit -sz -f "$CLUSTER/applied-" "$2" '/^---$/' '{*}'
  for file in "$CLUSTER"/applied-*; do
    set -- $(sed -n 's/^  name: //p' "$file") $(sed -n '/^stringData:/,$s/^  \\([^ ]*\\): "*\\([^"]*\\)"*$/--from-literal=\\1=\\2/p' "$file")
    "$KUBECTL" create secret generic "$@" --dry-run=client -o yaml >"$CLUSTER/secret-$1.yaml"
  done ;;
'apply -n') [ "$2 $3 $4" = 'vpn --server-side -f' ] && cat "$5"/*.yaml >"$CLUSTER/objects.yaml" ;;
'rollout status' | 'scale deployment/wireguard') ;;
'exec deploy/wireguard') shift 2; cd "$CLUSTER/linuxserver"; exec "$1" -C "$(echo "$3" | cut -c2-)" "$4" "$5" "$6" ;;
'exec deploy/'*) pod=$CLUSTER/pods/\${1#deploy/}; shift 4; exec sh "$pod" "$@" ;;
*) echo "stub of kubectl: $verb $*" >&2; exit 1 ;;
esac`,
  skopeo: `case $4 in docker://mirror.example.com/*) echo "$4" | cut -c10- >>"$CLUSTER/copied" ;; *) exit 1 ;; esac`,
  sudo: `
case $1 in
install) mkdir -p "$CLUSTER/router"; exec install -m "$3" "$4" "$CLUSTER/router/\${5##*/}" ;;
wg-quick) [ "$(id -u)" != 0 ] || exec wg-quick strip "$CLUSTER/router/$3.conf" >/dev/null ;;
sysctl) ;;
*) exit 127 ;;
esac`,
} as const;

interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: {
    readonly secretName: string;
    readonly optional?: boolean;
    readonly items?: readonly { readonly key: string; readonly path: string }[];
  };
}
interface PodTemplate {
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly env?: readonly { readonly name: string; readonly value: string }[];
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    readonly volumes: readonly Volume[];
  };
}
interface AnyObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template: PodTemplate };
}

/** A computer with the programs that a task needs, and as much of a cluster as its commands touch. */
class Desk {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk8s-vpn-desk-'));
  readonly #cluster = path.join(this.#folder, 'cluster');
  readonly #pods = new Map<string, { pod: Pod; template: string; server?: ChildProcess }>();
  /** The keys of a page, and those that stand for them here. */
  readonly #keys = new Map([...JSON.stringify([SERVER, ALICE, PRESHARED]).matchAll(KEY)].map(([key]) => [key, key]));
  #objects: readonly AnyObject[] = [];

  constructor(readonly cdk8sVpn: CommandLine) {
    for (const name of ['bin', 'work', 'cluster/pods'])
      fs.mkdirSync(path.join(this.#folder, name), { recursive: true });
    for (const [name, body] of Object.entries(PROGRAMS))
      fs.writeFileSync(path.join(this.#folder, 'bin', name), `#!/bin/sh\nset -eu\n${body}\n`, { mode: 0o755 });
  }

  write(name: string, text: string): void {
    fs.writeFileSync(path.join(this.#folder, 'work', name), this.#actual(text));
  }

  /** @returns the standard output; all else must be well */
  async shell(commands: string): Promise<string> {
    const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', this.#actual(commands)], {
      cwd: path.join(this.#folder, 'work'),
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${path.join(this.#folder, 'bin')}:${process.env['PATH'] ?? ''}`,
        CLUSTER: this.#cluster,
        CDK8S_VPN: this.cdk8sVpn.program,
        HELM: tools.helm('4.3.1'),
        KUBECTL: tools.kubernetes('kubectl'),
        KUBERNETES: KUBERNETES_VERSION,
      },
    });
    expect([commands, status, stderr]).toEqual([commands, 0, '']);
    await this.#reconcile();
    return stdout;
  }

  /** Whether a page shows what was printed; a key stands for the same one everywhere. */
  compare(documented: string, printed: string): void {
    // Whether YAML quotes a key depends on the key.
    const masked = (text: string): string => text.trimEnd().replace(new RegExp(`"?${KEY.source}"?`, 'g'), '(key)');
    expect(masked(printed)).toBe(masked(documented));
    const keys = [...printed.matchAll(KEY)].map(([key]) => key);
    for (const [index, [key]] of [...documented.matchAll(KEY)].entries()) {
      expect([key, this.#keys.get(key) ?? keys[index]]).toEqual([key, keys[index]]);
      this.#keys.set(key, keys[index] ?? '');
    }
  }

  end(): void {
    for (const { pod } of this.#pods.values()) pod.end();
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  #actual(text: string): string {
    return text.replace(KEY, (key) => this.#keys.get(key) ?? key);
  }

  /** What the controllers and the kubelet do with the objects, as far as the scripts notice. */
  async #reconcile(): Promise<void> {
    const file = path.join(this.#cluster, 'objects.yaml');
    if (fs.existsSync(file))
      this.#objects = parseAllDocuments(fs.readFileSync(file, 'utf8')).flatMap(
        (one) => (one.toJS() as AnyObject | null) ?? [],
      );
    const deployment = this.#objects.find(({ kind }) => kind === 'Deployment');
    if (deployment?.spec === undefined) return;
    const { name } = deployment.metadata;
    const { template } = deployment.spec;
    const running = this.#pods.get(name);
    const pod = running?.pod ?? this.#newPod(name);
    this.#pods.set(name, { pod, template: '', ...running });
    const container = template.spec.containers.find((one) => one.name === 'wireguard');
    if (container === undefined) throw new Error('there is no container wireguard');
    if (running === undefined) pod.remove('etc/wireguard');
    for (const { name: volume, mountPath } of container.volumeMounts) {
      const place = mountPath.slice(1);
      fs.mkdirSync(pod.at(place), { recursive: true });
      const content = this.#contentOf(template.spec.volumes.find((one) => one.name === volume));
      if (content !== undefined && mountPath.startsWith('/etc/')) pod.mountSecret(place, content);
    }
    if (running?.template !== JSON.stringify(template)) {
      if (running?.server !== undefined) await pod.stop(running.server);
      const server = await pod.serve(Object.fromEntries((container.env ?? []).map((one) => [one.name, one.value])));
      this.#pods.set(name, { pod, template: JSON.stringify(template), server });
    }
    // A change is seen at the next look, and what was made then is there.
    const seen = Date.now() + 500;
    const owners = (): string[] =>
      pod
        .read('run/vpn/generated')
        .split('\n')
        .filter((owner) => owner !== '');
    await pod.until(
      'the server has applied everything',
      () =>
        Date.now() > seen &&
        pod.status['ready'] === '1' &&
        owners().every((owner) => pod.has(`var/lib/wireguard/${owner}/private-key`)),
    );
  }

  #newPod(name: string): Pod {
    const pod = new Pod();
    pod.stub('qrencode', `cat >${path.join(this.#cluster, 'qr')}; echo '(QR code)'`);
    const exports = Object.entries(pod.environment()).map(([key, value]) => `export ${key}='${value}'`);
    fs.writeFileSync(
      path.join(this.#cluster, 'pods', name),
      `${exports.join('\n')}
case $1 in
sh) shift; script=$1; shift; exec sh "${SCRIPTS}/\${script#/scripts/}" "$@" ;;
rm) exec rm "$2" "$TEST_ROOT$3" ;;
*) exec "$@" ;;
esac
`,
    );
    return pod;
  }

  #contentOf(volume: Volume | undefined): Record<string, string> | undefined {
    const { configMap, secret } = volume ?? {};
    const name = configMap?.name ?? secret?.secretName;
    if (name === undefined) return undefined;
    const file = path.join(this.#cluster, `secret-${name}.yaml`);
    const object = fs.existsSync(file)
      ? (parse(fs.readFileSync(file, 'utf8')) as AnyObject)
      : this.#objects.find(
          ({ kind, metadata }) => kind === (secret === undefined ? 'ConfigMap' : 'Secret') && metadata.name === name,
        );
    if (object === undefined) {
      if (secret?.optional === true) return undefined;
      throw new Error(`the pod waits for ${name}`);
    }
    const data = Object.entries(object.data ?? {}).map(([key, value]): [string, string] => [
      key,
      secret === undefined ? value : Buffer.from(value, 'base64').toString(),
    ]);
    const all = { ...Object.fromEntries(data), ...object.stringData };
    if (secret?.items === undefined) return all;
    return Object.fromEntries(secret.items.map(({ key, path: item }) => [item, all[key] ?? '']));
  }
}

describeWith(['helm-4.3.1', 'kubectl', 'wg', 'dash', 'linux'], 'the tasks', () => {
  let cdk8sVpn: CommandLine;
  beforeAll(() => {
    cdk8sVpn = new CommandLine();
  });
  afterAll(() => {
    cdk8sVpn.remove();
  });

  test('are known here', () => {
    expect(pages.filter(isTask)).toEqual(Object.keys(TASKS).sort());
  });

  test.each(Object.entries(TASKS))('of %s lead to their ends', async (page, { before, after }) => {
    const desk = new Desk(cdk8sVpn);
    try {
      await desk.shell(before);
      let printed: string | undefined;
      for (const { info, text, line } of blocks.filter((block) => block.page === page)) {
        const [language, what, name] = info;
        if (language === 'sh') printed = await desk.shell(text);
        else if (what === 'values' && name !== undefined) desk.write(name, text);
        else if (what === 'output' && printed !== undefined) desk.compare(text, printed);
        else throw new Error(`${page}:${String(line)}: what is this block?`);
      }
      if (after !== undefined) await desk.shell(after);
    } finally {
      desk.end();
    }
  });
});

describe('programs', () => {
  test('compile, strictly', () => {
    const files = new Map(
      blocks.flatMap(({ info, text }, index) =>
        info[0] === 'ts' ? [[path.join(root, 'test', `program-${String(index)}.ts`), text] as const] : [],
      ),
    );
    expect(files.size).toBeGreaterThan(1);
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(path.join(root, 'test/tsconfig.json'), (file) => ts.sys.readFile(file)).config,
      ts.sys,
      path.join(root, 'test'),
    );
    const host = ts.createCompilerHost(options);
    const { fileExists, readFile, getSourceFile } = host;
    host.fileExists = (file) => files.has(path.normalize(file)) || fileExists(file);
    host.readFile = (file) => files.get(path.normalize(file)) ?? readFile(file);
    host.getSourceFile = (file, version, onError, fresh) => {
      const text = files.get(path.normalize(file));
      if (text !== undefined) return ts.createSourceFile(file, text, version);
      return getSourceFile.call(host, file, version, onError, fresh);
    };
    const program = ts.createProgram([...files.keys()], options, host);
    const faults = [...files.keys()].flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
    expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  }, 120_000);

  test('of README.md begin with the one that the test of the package runs', () => {
    const fixture = fs.readFileSync(path.join(root, 'test/package/home.ts'), 'utf8').replace(/^\/\*.*\*\/\n/, '');
    expect(blocks.find(({ page, info }) => page === 'README.md' && info[0] === 'ts')?.text).toBe(fixture);
  });
});

/** The anchor that GitHub gives a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

function brokenLinks(page: string, text: string): string[] {
  const prose = text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const [target = '', fragment] = (match[1] ?? '').split('#');
    if (/^https:/.test(target)) return [];
    const file = target === '' ? page : path.posix.join(path.posix.dirname(page), target);
    if (!fs.existsSync(path.join(root, file))) return [`${page}: ${target}`];
    if (fragment === undefined) return [];
    const headings = [...fs.readFileSync(path.join(root, file), 'utf8').matchAll(/^#+ (.*)$/gm)].map((heading) =>
      anchor(heading[1] ?? ''),
    );
    return headings.includes(fragment) ? [] : [`${page}: ${target}#${fragment}`];
  });
}

describe('links', () => {
  test.each(pages)('of %s lead somewhere', (page) => {
    expect(brokenLinks(page, textOf.get(page) ?? '')).toEqual([]);
  });

  test('that lead nowhere are found', () => {
    const text =
      '# A’s b, c\n[a](b.md) [c](README.md#nothing) [d](#as-b-c) [e](#commands) `[f](g.md)` [h](https://example.com)';
    expect(brokenLinks('README.md', text)).toEqual([
      'README.md: b.md',
      'README.md: README.md#nothing',
      'README.md: #as-b-c',
    ]);
  });
});

describe('names', () => {
  test('of files and folders in CONTRIBUTING.md are there', () => {
    const named = [
      ...(textOf.get('CONTRIBUTING.md') ?? '').matchAll(/`((?:lib|values|charts|test|docs)\/[\w./-]+)`/g),
    ].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((file) => !fs.existsSync(path.join(root, file)))).toEqual([]);
  });

  test('of Helm’s versions are those of the tests', () => {
    const versions = HELM_VERSIONS.join(', ').replace(/, (?=[^,]*$)/, ' and ');
    expect(textOf.get('README.md')?.replace(/\s+/g, ' ')).toContain(`Helm ${versions}`);
  });

  test('of images are the defaults', () => {
    const said = [...(textOf.get('docs/wireguard.md') ?? '').matchAll(/^\| `(\S+:\S+)` +\|/gm)].map(
      (match) => match[1],
    );
    const images = JSON.stringify(objectsOf('{ dns: { mode: coredns } }'));
    expect(said).toHaveLength(3);
    for (const image of said) expect(images).toContain(`"image":"${image ?? ''}"`);
  });
});

/** A value and two states of it. */
const CHANGES: Readonly<Record<string, readonly [before: unknown, after: unknown]>> = (() => {
  const key = (letter: string): string => `${letter.repeat(42)}A=`;
  const peer = { publicKey: key('a'), addresses: ['10.13.13.2'] };
  const item = { name: 'x' };
  const generated = { a: { generate: true, addresses: ['10.13.13.2'] } };
  return {
    peers: [
      { peers: { a: peer } },
      {
        peers: {
          a: {
            ...peer,
            addresses: ['10.13.13.9'],
            routedNetworks: ['192.168.1.0/24'],
            allow: {},
            persistentKeepaliveSeconds: 25,
            endpoint: 'a:1',
          },
          b: { publicKey: key('b'), addresses: ['10.13.13.3'] },
        },
      },
    ],
    'peers.*.presharedKey.value': [
      { peers: { a: peer } },
      { peers: { a: { ...peer, presharedKey: { value: key('c') } } } },
    ],
    'peers.*.presharedKey.key': [
      { peers: { a: { ...peer, presharedKey: { existingSecret: 'x', key: 'y' } } } },
      { peers: { a: { ...peer, presharedKey: { existingSecret: 'x', key: 'z' } } } },
    ],
    'peers.*.presharedKey.existingSecret': [
      { peers: { a: peer } },
      { peers: { a: { ...peer, presharedKey: { existingSecret: 'x' } } } },
    ],
    'peers.*.generate': [{ peers: { a: peer } }, { peers: generated }],
    'peers.*.client': [
      { peers: generated },
      { peers: { a: { ...generated.a, client: { allowedIPs: ['10.0.0.0/8'] } } } },
    ],
    peersFrom: [{}, { peersFrom: { team: { existingSecret: 'x' } } }],
    'privateKey.generate': [{}, { privateKey: { generate: true } }],
    'privateKey.value': [{ privateKey: { value: key('a') } }, { privateKey: { value: key('b') } }],
    'privateKey.existingSecret': [{}, { privateKey: { existingSecret: 'x' } }],
    'privateKey.key': [{}, { privateKey: { key: 'x' } }],
    serverPublicKey: [{}, { serverPublicKey: key('a') }],
    endpoint: [{ peers: generated }, { peers: generated, endpoint: 'a:1' }],
    client: [{ peers: generated }, { peers: generated, client: { mtu: 1380 } }],
    'dns.mode': [{}, { dns: { mode: 'coredns' } }],
    'dns.servers': [
      { peers: generated, dns: { mode: 'servers', servers: ['10.0.0.1'] } },
      { peers: generated, dns: { mode: 'servers', servers: ['10.0.0.2'] } },
    ],
    'dns.searchDomains': [
      { peers: generated, dns: { mode: 'coredns' } },
      { peers: generated, dns: { mode: 'coredns', searchDomains: ['a.example'] } },
    ],
    'dns.zones': [
      { dns: { mode: 'coredns' } },
      { dns: { mode: 'coredns', zones: { 'a.example': { servers: ['10.0.0.1'] } } } },
    ],
    'dns.port': [{ dns: { mode: 'coredns' } }, { dns: { mode: 'coredns', port: 5353 } }],
    'dns.image': [{ dns: { mode: 'coredns' } }, { dns: { mode: 'coredns', image: { tag: 'x' } } }],
    'dns.resources': [{ dns: { mode: 'coredns' } }, { dns: { mode: 'coredns', resources: { requests: { cpu: 1 } } } }],
    'persistence.existingClaim': [{ peers: generated }, { peers: generated, persistence: { existingClaim: 'x' } }],
    'persistence.keep': [{ peers: generated }, { peers: generated, persistence: { keep: false } }],
    'persistence.size': [{ peers: generated }, { peers: generated, persistence: { size: '1Gi' } }],
    'persistence.storageClassName': [
      { peers: generated },
      { peers: generated, persistence: { storageClassName: 'x' } },
    ],
    'persistence.accessModes': [
      { peers: generated },
      { peers: generated, persistence: { accessModes: ['ReadWriteMany'] } },
    ],
    'persistence.annotations': [{ peers: generated }, { peers: generated, persistence: { annotations: { a: 'b' } } }],
    'metrics.enabled': [{}, { metrics: { enabled: true } }],
    'metrics.serviceMonitor': [
      { metrics: { enabled: true } },
      { metrics: { enabled: true, serviceMonitor: { enabled: true } } },
    ],
    'metrics.podMonitor': [
      { metrics: { enabled: true } },
      { metrics: { enabled: true, podMonitor: { enabled: true } } },
    ],
    'metrics.prometheusRule': [
      { metrics: { enabled: true } },
      { metrics: { enabled: true, prometheusRule: { enabled: true } } },
    ],
    'metrics.dashboard': [{ metrics: { enabled: true } }, { metrics: { enabled: true, dashboard: { enabled: true } } }],
    networkPolicy: [{}, { networkPolicy: { enabled: false } }],
    podDisruptionBudget: [{}, { podDisruptionBudget: { enabled: true } }],
    mode: [{}, { mode: 'routed' }],
    network: [{}, { network: '10.14.0.0/24' }],
    network6: [{}, { network6: 'fd00::/64' }],
    listenPort: [{}, { listenPort: 1 }],
    interfaceName: [{}, { interfaceName: 'wg1' }],
    mtu: [{}, { mtu: 1400 }],
    ipForwarding: [{}, { ipForwarding: { method: 'assume' } }],
    hostPort: [{}, { hostPort: 1 }],
    service: [{}, { service: { type: 'NodePort', port: 1, annotations: { a: 'b' }, labels: { a: 'b' } } }],
    'serviceAccount.annotations': [{}, { serviceAccount: { annotations: { a: 'b' } } }],
    'serviceAccount.name': [{}, { serviceAccount: { name: 'x' } }],
    'serviceAccount.create': [{}, { serviceAccount: { create: false } }],
    commonAnnotations: [{}, { commonAnnotations: { a: 'b' } }],
    commonLabels: [{}, { commonLabels: { a: 'b' } }],
    extraObjects: [{}, { extraObjects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: item }] }],
    revisionHistoryLimit: [{}, { revisionHistoryLimit: 1 }],
    image: [{}, { image: { tag: 'x' } }],
    userspace: [{}, { userspace: { image: { repository: 'x' } } }],
    health: [{}, { health: { image: { tag: 'x' } } }],
    global: [{}, { global: { imageRegistry: 'x' } }],
    imagePullSecrets: [{}, { imagePullSecrets: [item] }],
    livenessProbe: [{}, { livenessProbe: { periodSeconds: 1 } }],
    readinessProbe: [{}, { readinessProbe: { periodSeconds: 1 } }],
    resources: [{}, { resources: { requests: { cpu: 1 } } }],
    podSecurityContext: [{}, { podSecurityContext: { fsGroup: 1 } }],
    securityContext: [{}, { securityContext: { runAsUser: 1 } }],
    podLabels: [{}, { podLabels: { a: 'b' } }],
    podAnnotations: [{}, { podAnnotations: { a: 'b' } }],
    nodeSelector: [{}, { nodeSelector: { a: 'b' } }],
    tolerations: [{}, { tolerations: [{ key: 'a' }] }],
    lostNodeSeconds: [{}, { lostNodeSeconds: 5 }],
    affinity: [{}, { affinity: { podAffinity: { a: 'b' } } }],
    topologySpreadConstraints: [{}, { topologySpreadConstraints: [{ maxSkew: 1 }] }],
    priorityClassName: [{}, { priorityClassName: 'x' }],
    runtimeClassName: [{}, { runtimeClassName: 'x' }],
    schedulerName: [{}, { schedulerName: 'x' }],
    terminationGracePeriodSeconds: [{}, { terminationGracePeriodSeconds: 1 }],
    dnsPolicy: [{}, { dnsPolicy: 'Default' }],
    dnsConfig: [{}, { dnsConfig: { a: 'b' } }],
    hostAliases: [{}, { hostAliases: [{ ip: '10.0.0.1' }] }],
    extraEnv: [{}, { extraEnv: [item] }],
    extraVolumes: [{}, { extraVolumes: [item] }],
    extraVolumeMounts: [{}, { extraVolumeMounts: [item] }],
    extraInitContainers: [{}, { extraInitContainers: [item] }],
    extraContainers: [{}, { extraContainers: [item] }],
    nameOverride: [{}, { nameOverride: 'x' }],
    fullnameOverride: [{}, { fullnameOverride: 'x' }],
    underlayMtu: [{}, { underlayMtu: 1500 }],
    enabled: [{}, { enabled: false }],
  };
})();

/** What a change of values does to what is installed, as the objects tell. */
function effect(before: unknown, after: unknown): string {
  const [old, now] = [before, after].map((values) => objectsOf(JSON.stringify(values))) as [
    ReturnType<typeof objectsOf>,
    ReturnType<typeof objectsOf>,
  ];
  const only = (objects: typeof old, ...kinds: string[]): string =>
    JSON.stringify(objects.filter(({ kind }) => kinds.includes(kind)));
  const deployment = (objects: typeof old): { name: string; spec: { template: unknown; selector: unknown } } => {
    const found = objects.find(({ kind }) => kind === 'Deployment') as
      { metadata: { name: string }; spec: { template: unknown; selector: unknown } } | undefined;
    if (found === undefined) throw new Error('there is no Deployment');
    return { name: found.metadata.name, spec: found.spec };
  };
  const [was, is] = [deployment(old), deployment(now)];
  if (was.name !== is.name || JSON.stringify(was.spec.selector) !== JSON.stringify(is.spec.selector))
    return 'new objects';
  if (JSON.stringify(was.spec.template) !== JSON.stringify(is.spec.template)) return 'restarts the pod';
  const template = JSON.stringify(is.spec.template);
  const mounted = (objects: typeof old): string =>
    JSON.stringify(
      objects
        .filter(
          ({ kind, metadata }) => ['ConfigMap', 'Secret'].includes(kind) && template.includes(`"${metadata.name}"`),
        )
        .map(({ metadata, data, stringData }) => [metadata.name, data, stringData]),
    );
  if (mounted(old) !== mounted(now)) return 'in place';
  return only(old, ...old.map(({ kind }) => kind)) === only(now, ...now.map(({ kind }) => kind))
    ? 'nothing'
    : 'other objects';
}

describe('the table of changes in docs/wireguard.md', () => {
  const rows = new Map(
    [
      ...(textOf.get('docs/wireguard.md') ?? '').matchAll(
        /^\| (`[^|]*) \| (in place|restarts the pod|other objects|new objects|nothing) +\|$/gm,
      ),
    ].flatMap((row) =>
      [...(row[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => [match[1] ?? '', row[2] ?? ''] as const),
    ),
  );

  test('names every value of the schema, and none besides', () => {
    expect([...new Set([...rows.keys()].map((name) => name.split('.')[0]))].sort()).toEqual(
      Object.keys(wireguardValues.shape).sort(),
    );
    expect([...rows.keys()].sort()).toEqual(Object.keys(CHANGES).sort());
  });

  test.each(Object.entries(CHANGES))('is right about %s', (name, [before, after]) => {
    expect(effect(before, after)).toBe(rows.get(name));
  });
});
