import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { describeWith } from './left-out';
import {
  HELM_VERSIONS,
  KUBERNETES_VERSION,
  KUBERNETES_VERSIONS,
  cacheFolder,
  locked,
  missing,
  tools,
  type KubernetesProgram,
} from './tools';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tools-test-'));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});

/** Runs with other environment variables, which are put back. */
function withEnvironment<T>(environment: Record<string, string | undefined>, run: () => T): T {
  const before = { ...process.env };
  try {
    for (const [name, value] of Object.entries(environment)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    return run();
  } finally {
    process.env = before;
  }
}

describe.each(HELM_VERSIONS)('Helm %s', (version) => {
  describeWith([`helm-${version}`], 'in the cache', () => {
    test('is that version', () => {
      // `go install` leaves the patch level out.
      const said = execFileSync(tools.helm(version), ['version', '--short'], { encoding: 'utf8' });
      expect(said).toMatch(new RegExp(`^v${version.replace(/\.[0-9]+$/, '')}`));
    });
  });
});

describeWith(['kubeconform', 'kubernetes-schemas'], 'kubeconform with the schemas in the cache', () => {
  const good = `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}]}}`;

  function conforms(object: string, version: string): boolean {
    const { status, stdout } = spawnSync(
      tools.kubeconform(),
      ['-strict', '-kubernetes-version', version, '-schema-location', tools.kubernetesSchemas()],
      { input: object, encoding: 'utf8' },
    );
    if (status !== 0 && !stdout.includes('is invalid')) throw new Error(stdout);
    return status === 0;
  }

  test.each([KUBERNETES_VERSION, ...KUBERNETES_VERSIONS.slice(0, 1), ...KUBERNETES_VERSIONS.slice(-1)])(
    'for Kubernetes %s tells good from bad',
    (version) => {
      expect(conforms(good, version)).toBe(true);
      expect(conforms(good.replace('"port": 1', '"port": "1"'), version)).toBe(false);
      expect(conforms(good.replace('"port"', '"prot"'), version)).toBe(false);
      expect(conforms(good.replace('"metadata": {', '"metadata": {"nmae": "a", '), version)).toBe(false);
    },
  );
});

describeWith(['kube-apiserver', 'kubectl'], 'Kubernetes in the cache', () => {
  test('is the pinned release', () => {
    const version = (program: KubernetesProgram, ...args: string[]): string =>
      execFileSync(tools.kubernetes(program), args, { encoding: 'utf8' }).split('\n')[0] ?? '';
    expect(version('kube-apiserver', '--version')).toBe('Kubernetes v1.34.4');
    expect(version('kubectl', 'version', '--client')).toBe('Client Version: v1.34.4');
  });
});

describeWith(['etcd', 'promtool', 'coredns'], 'the servers in the cache', () => {
  test.each([
    ['etcd', tools.command('etcd'), /^etcd Version: 3\./],
    ['promtool', tools.command('promtool'), /^promtool, version 2\./],
  ])('%s runs', (_name, file, version) => {
    expect(execFileSync(file, ['--version'], { encoding: 'utf8' })).toMatch(version);
  });

  test('CoreDNS runs', () => {
    expect(execFileSync(tools.coredns(), ['-version'], { encoding: 'utf8' })).toContain('CoreDNS-1.12.4\n');
  });
});

describeWith(['prometheus-operator-crds'], 'the definitions of Prometheus Operator in the cache', () => {
  test('are those of three kinds', () => {
    const folder = tools.prometheusOperatorCrds();
    const kinds = fs
      .readdirSync(folder)
      .map((file) => /^ {4}kind: (.*)$/m.exec(fs.readFileSync(path.join(folder, file), 'utf8'))?.[1]);
    expect(kinds.sort()).toEqual(['PodMonitor', 'PrometheusRule', 'ServiceMonitor']);
  });
});

describe('a tool', () => {
  test('that is missing has a reason, and no path', () => {
    withEnvironment({ XDG_CACHE_HOME: folder, PATH: folder, CDK8S_VPN_MISSING_TOOLS: undefined }, () => {
      expect(missing('kubeconform')).toBe('not built; run `npx tsx test/tools.ts`');
      expect(missing('kube-apiserver')).toBe('not built; run `npx tsx test/tools.ts`');
      expect(missing('python3')).toBe('not on PATH');
      expect(() => tools.kubeconform()).toThrow('kubeconform is missing: not built');
      expect(tools.helms()).toEqual([]);
    });
  });

  test('is missing for the reason that the preparation found', () => {
    const reasons = '{"kubeconform": "Go is not installed"}';
    withEnvironment({ XDG_CACHE_HOME: folder, CDK8S_VPN_MISSING_TOOLS: reasons }, () => {
      expect(missing('kubeconform')).toBe('Go is not installed');
    });
  });

  test('that is half-built is not taken', () => {
    const unfinished = path.join(folder, 'cdk8s-vpn/tools/.unfinished-x/helm');
    fs.mkdirSync(path.dirname(unfinished), { recursive: true });
    fs.writeFileSync(unfinished, '');
    withEnvironment({ XDG_CACHE_HOME: folder, PATH: '' }, () => {
      for (const version of HELM_VERSIONS) expect(missing(`helm-${version}`)).toBeDefined();
    });
  });

  test('that is only unpacked may also be the user’s own', () => {
    const own = path.join(folder, 'etcd');
    const unpacked = path.join(folder, 'cdk8s-vpn/tools/debian-etcd-server/usr/bin/etcd');
    fs.mkdirSync(path.dirname(unpacked), { recursive: true });
    withEnvironment({ XDG_CACHE_HOME: folder, PATH: folder }, () => {
      expect(missing('etcd')).toBeDefined();
      fs.writeFileSync(unpacked, '', { mode: 0o755 });
      expect(tools.command('etcd')).toBe(unpacked);
      fs.writeFileSync(own, '', { mode: 0o755 });
      expect(tools.command('etcd')).toBe(own);
    });
  });

  test('Helm on PATH stands in for the pinned ones, unless one of them is there', () => {
    const own = path.join(folder, 'helm');
    fs.writeFileSync(own, '', { mode: 0o755 });
    withEnvironment({ XDG_CACHE_HOME: folder, PATH: folder }, () => {
      expect(tools.helms()).toEqual([{ name: 'helm on PATH', path: own }]);
      expect(missing('helm-4.3.1')).toBeDefined();
      const pinned = path.join(folder, 'cdk8s-vpn/tools/helm-4.3.1/helm');
      fs.mkdirSync(path.dirname(pinned), { recursive: true });
      fs.writeFileSync(pinned, '', { mode: 0o755 });
      expect(tools.helms()).toEqual([{ name: 'helm 4.3.1', path: pinned }]);
    });
  });

  test('lives below XDG_CACHE_HOME if that is an absolute path', () => {
    const home = path.join(os.homedir(), '.cache/cdk8s-vpn');
    expect(withEnvironment({ XDG_CACHE_HOME: '/x' }, cacheFolder)).toBe('/x/cdk8s-vpn');
    for (const unset of [undefined, '', 'x']) {
      expect(withEnvironment({ XDG_CACHE_HOME: unset }, cacheFolder)).toBe(home);
    }
  });
});

/** Programs that stand in for Go. */
const GO = {
  working: `
echo "$CGO_ENABLED" "$@" >>"$LOG"
case $1 in
install) for last; do :; done; name=\${last##*/}; echo >"$GOBIN/\${name%@*}" ;;
mod) echo "{\\"Dir\\": \\"$MODULE\\"}" ;;
build)
  while read -r line; do echo "$line" >>"$LOG"; done <"$3/go.mod"
  while [ "$1" != -o ]; do shift; done
  folder=$2
  shift 2
  for program; do echo >"$folder/\${program##*/}"; done ;;
esac`,
  failing: 'echo half >"$GOBIN/helm"; echo no such module >&2; exit 3',
};

/** What a Go module has, as far as it is read: Kubernetes’ requirements, and the operator’s definitions. */
function writeModule(module: string): void {
  const definitions = path.join(module, 'example/prometheus-operator-crd');
  fs.mkdirSync(definitions, { recursive: true });
  for (const name of ['alertmanagers', 'podmonitors', 'prometheusrules', 'servicemonitors']) {
    fs.writeFileSync(path.join(definitions, `monitoring.coreos.com_${name}.yaml`), '');
  }
  const requirements = 'module k8s.io/kubernetes\nreplace (\nk8s.io/api => ./staging/src/k8s.io/api\n)\n';
  fs.writeFileSync(path.join(module, 'go.mod'), requirements);
  fs.writeFileSync(path.join(module, 'go.sum'), '');
}

describe('the preparation', () => {
  /** Runs it in a process of its own, with nothing on PATH but stand-ins. */
  function prepare(go: string | undefined, others: Readonly<Record<string, string>> = {}): string {
    const bin = path.join(folder, 'bin');
    fs.mkdirSync(bin, { recursive: true });
    const stub = (name: string, script: string): void => {
      fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    };
    const debian = ['wg', 'wireguard-go', 'nft', 'shellcheck', 'busybox', 'ip', 'jq', 'dash', 'mawk', 'gawk'];
    for (const name of [...debian, 'ping', 'setpriv', 'zbarimg', 'debootstrap']) stub(name, 'exit 0');
    for (const [name, script] of Object.entries(others)) stub(name, script);
    if (go !== undefined) stub('go', go);
    const module = path.join(folder, 'module');
    writeModule(module);
    const tsx = path.join(__dirname, '../node_modules/tsx/dist/cli.mjs');
    return spawnSync(process.execPath, [tsx, path.join(__dirname, 'tools.ts')], {
      encoding: 'utf8',
      env: { HOME: folder, XDG_CACHE_HOME: folder, PATH: bin, LOG: path.join(folder, 'log'), MODULE: module },
    }).stdout;
  }
  const built = (below = 'tools'): string[] => fs.readdirSync(path.join(folder, 'cdk8s-vpn', below)).sort();
  const log = (): string[] => fs.readFileSync(path.join(folder, 'log'), 'utf8').trim().split('\n');

  test('builds each tool once, as it is pinned', () => {
    prepare(GO.working);
    prepare(GO.working);
    expect(log().filter((line) => line.includes(' install '))).toEqual(
      [
        'helm.sh/helm/v3/cmd/helm@v3.14.4',
        'helm.sh/helm/v3/cmd/helm@v3.22.0',
        'helm.sh/helm/v4/cmd/helm@v4.3.1',
        'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
        'github.com/zegl/kube-score/cmd/kube-score@v1.20.0',
        'github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2',
        'github.com/coredns/coredns@v1.12.4',
        'github.com/hashicorp/hcl/v2/cmd/hclfmt@v2.24.0',
      ].map((module) => `0 install -trimpath -ldflags -s -w ${module}`),
    );
    expect(log().filter((line) => line.includes(' mod '))).toEqual([
      '0 mod download -json k8s.io/kubernetes@v1.34.4',
      '0 mod download -json github.com/prometheus-operator/prometheus-operator@v0.85.0',
    ]);
    expect(built()).toEqual([
      'coredns-1.12.4',
      'hclfmt-2.24.0',
      'helm-3.14.4',
      'helm-3.22.0',
      'helm-4.3.1',
      'helm-docs-1.14.2',
      'kube-score-1.20.0',
      'kubeconform-0.8.0',
      'kubernetes-1.34.4',
    ]);
  });

  test('builds the programs of Kubernetes together, with the modules of their release', () => {
    prepare(GO.working);
    const start = log().findIndex((line) => line.startsWith('0 build '));
    expect(log().slice(start, start + 7)).toEqual([
      expect.stringMatching(
        /^0 build .*version\.gitVersion=v1\.34\.4 .*gitMajor=1 .*gitMinor=34 .*cmd\/kube-apiserver( k8s\.io\/kubernetes\/cmd\/[a-z-]+){5}$/,
      ),
      'module build',
      'replace (',
      'k8s.io/api => k8s.io/api v0.34.4',
      ')',
      '',
      'require k8s.io/kubernetes v1.34.4',
    ]);
    expect(log().filter((line) => line.startsWith('0 build '))).toHaveLength(1);
    expect(built('tools/kubernetes-1.34.4')).toEqual([
      'kube-apiserver',
      'kube-controller-manager',
      'kube-proxy',
      'kube-scheduler',
      'kubectl',
      'kubelet',
    ]);
  });

  test('takes three of the definitions of Prometheus Operator', () => {
    prepare(GO.working);
    expect(built('crds/prometheus-operator-0.85.0')).toEqual([
      'monitoring.coreos.com_podmonitors.yaml',
      'monitoring.coreos.com_prometheusrules.yaml',
      'monitoring.coreos.com_servicemonitors.yaml',
    ]);
  });

  test('unpacks what it must not install, with fresh lists if need be', () => {
    const said = prepare(undefined, {
      'apt-get': `
echo "$@" >>"$LOG"
case $1 in
update) >"$LOG.lists" ;;
download) [ -e "$LOG.lists" ] || { echo no such package >&2; exit 100; }; for last; do :; done; >"$last.deb" ;;
esac`,
      'dpkg-deb': `/bin/mkdir -p "$3/usr/bin"; for name in etcd promtool; do echo >"$3/usr/bin/$name"; done`,
    });
    const lock = '-o DPkg::Lock::Timeout=600 -q';
    // Debian 13 asks for the archive only.
    expect(log().filter((line) => !line.startsWith('indextargets '))).toEqual([
      `download ${lock} etcd-server`,
      `update ${lock}`,
      `download ${lock} etcd-server`,
      `download ${lock} prometheus`,
    ]);
    expect(built()).toEqual(['debian-etcd-server', 'debian-prometheus']);
    expect(built('tools/debian-prometheus')).toEqual(['usr']);
    expect(said).toContain(`etcd: ${path.join(folder, 'cdk8s-vpn/tools/debian-etcd-server/usr/bin/etcd')}\n`);
  });

  describeWith(['root'], 'of Debian 13', () => {
    const script = (name: string): string => path.join(__dirname, 'lab/build', `${name}.sh`);
    const stubs = (failing = '') => ({
      'apt-get':
        '[ "$1" = indextargets ] && printf "%s\\n" cdrom:[x]/ https://archive.example/debian/ https://other.example/',
      // It is given the options of unshare, `sh`, the script, the folder and the rest.
      setpriv: `
while [ "$1" != sh ]; do shift; done
echo "$2 $4 $5" >>"$LOG"
[ "\${2##*/}" != "${failing}" ] || { echo no such suite >&2; exit 1; }
echo >"$3/made"`,
    });
    const made = (): string[] => built('debian').map((name) => name.replace(/[0-9a-f]{16}$/, ''));

    test('makes the smallest one from the archive of the machine, and one with daemons of that, once', () => {
      prepare(undefined, stubs());
      prepare(undefined, stubs());
      expect(made()).toEqual(['debian-13-', 'debian-13-base-']);
      const base = path.join(folder, 'cdk8s-vpn/debian', built('debian')[1] ?? '');
      expect(log()).toEqual([
        `${script('base')} https://archive.example/debian `,
        `${script('packages')} ${base} strongswan-charon`,
      ]);
      withEnvironment({ XDG_CACHE_HOME: folder }, () => {
        expect(tools.debian13Base()).toBe(base);
        expect(fs.readdirSync(tools.debian13())).toEqual(['made']);
      });
    });

    test('makes neither if the smallest one fails, and says why', () => {
      const said = prepare(undefined, stubs('base.sh'));
      expect(built('debian')).toEqual([]);
      expect(said).toContain('debian-13-base: `setpriv --pdeathsig` ended with 1: no such suite\n');
      expect(said).toContain('debian-13: debian-13-base is missing');
    });

    test('says that there is no archive to make it from', () => {
      const ofOthers = { ...stubs(), 'apt-get': '[ "$1" = indextargets ] && echo cdrom:[x]/' };
      expect(prepare(undefined, ofOthers)).toContain('debian-13-base: apt-get knows no archive of Debian');
    });

    test('says that this machine has no archive of Debian', () => {
      expect(prepare(undefined)).toContain('debian-13-base: this is no Debian, whose archive has it\n');
    });
  });

  test('leaves nothing of a build that failed, and says why', () => {
    const said = prepare(GO.failing);
    expect(built()).toEqual([]);
    expect(said).toContain('helm-3.14.4: `go install` ended with 3: no such module\n');
    expect(said).toContain('kubectl: `go mod` ended with 3: no such module\n');
  });

  test('says that Go is missing', () => {
    const said = prepare(undefined);
    for (const name of ['helm-3.14.4', 'kube-apiserver', 'prometheus-operator-crds']) {
      expect(said).toContain(`${name}: Go is not installed\n`);
    }
  });
});

describe('the lock', () => {
  test('lets one in at a time', async () => {
    const file = path.join(folder, 'lock');
    let inside = 0;
    const work = async (): Promise<number> => {
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return inside--;
    };
    const silent = (): void => undefined;
    const results = await Promise.all(Array.from({ length: 3 }, () => locked(file, silent, work)));
    expect(results).toEqual([1, 1, 1]);
    expect(fs.existsSync(file)).toBe(false);
  });

  test('of a process that is gone is taken over', async () => {
    const file = path.join(folder, 'lock');
    const gone = spawnSync(process.execPath, ['-e', 'process.stdout.write(String(process.pid))'], { encoding: 'utf8' });
    fs.writeFileSync(file, gone.stdout);
    await expect(
      locked(
        file,
        () => undefined,
        () => Promise.resolve('done'),
      ),
    ).resolves.toBe('done');
  });

  test('is given back when the work fails', async () => {
    const file = path.join(folder, 'lock');
    await expect(
      locked(
        file,
        () => undefined,
        () => Promise.reject(new Error('no')),
      ),
    ).rejects.toThrow('no');
    expect(fs.existsSync(file)).toBe(false);
  });
});
