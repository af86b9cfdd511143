/** The commands that each container of the charts calls are in the image that it runs by default. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { CHARTS } from '../charts';
import { examplesOf } from '../lib/cli/commands';
import type { HelmChart } from '../lib/helm/chart';
import { loadValues } from '../lib/helm/load-values';
import type { KubernetesObject } from '../lib/staged';
import { shellCommands, type Wrappers } from './shell-commands';

const words = (text: string): string[] => text.trim().split(/\s+/);

/** What busybox has both in Alpine and in its default configuration; `httpd` is in the latter only. */
const BUSYBOX = words(`
  awk base64 basename cat chgrp chmod chown cksum cmp comm cp cut date dd df dirname du env expr find fold grep gunzip gzip head hostname
  id kill ln ls md5sum mkdir mkfifo mktemp mv nc nslookup od paste ping ps readlink realpath rm rmdir sed seq sh sha256sum sleep sort stat
  sync tail tar tee timeout touch tr tty uname uniq usleep wc wget which xargs
`);

/** The essential packages of Debian and Ubuntu: coreutils, dash, debianutils, diffutils, findutils, grep, gzip, sed; and mawk. */
const ESSENTIAL = words(`
  awk base64 basename cat chgrp chmod chown cksum cmp comm cp cut date dd df diff dirname du env expr find fold grep gunzip gzip head
  hostname id ln ls md5sum mkdir mkfifo mktemp mv od paste readlink realpath rm rmdir sed seq sh sha256sum sleep sort stat sync tail tee
  timeout touch tr tty uname uniq wc which xargs
`);

interface Contents {
  /** Where that is said. */
  readonly source: string;
  readonly commands: readonly string[];
  /** What is known to be missing. */
  readonly lacks: readonly string[];
  /** What runs where the container has no command of its own. */
  readonly entrypoint?: string;
}

/** The contents of the default images, of which none was pulled: from the public sources of their builds. */
const IMAGES: Readonly<Record<string, Contents>> = {
  'lscr.io/linuxserver/wireguard:1.0.20250521-r1-ls110': {
    source: 'linuxserver/docker-wireguard: Dockerfile, package_versions.txt',
    commands: [...BUSYBOX, ...words('bash coredns curl ip iptables jq nft qrencode wg wg-quick')],
    lacks: words('httpd python3 swanctl tini vtysh wireguard-go'),
  },
  'docker.io/library/busybox:1.37.0': {
    source: 'docker-library/busybox: its build of the default configuration',
    commands: [...BUSYBOX, 'httpd'],
    lacks: words('bash curl jq nft python3 wg'),
  },
  'docker.io/coredns/coredns:1.12.4': {
    source: 'coredns/coredns: Dockerfile',
    commands: ['/coredns'],
    lacks: ['sh'],
    entrypoint: '/coredns',
  },
  'docker.io/strongx509/strongswan:6.0.0': {
    source: 'strongX509/docker: pq-strongswan/Dockerfile',
    commands: [...ESSENTIAL, ...words('/usr/libexec/ipsec/charon bash ip nano ping swanctl')],
    lacks: words('curl iptables jq kubectl nft python3'),
  },
  'quay.io/frrouting/frr:10.3.4': {
    source: 'FRRouting/frr: docker/alpine, alpine/APKBUILD.in',
    commands: [...BUSYBOX, ...words('bash bridge ip python3 tini vtysh'), 'module subprocess'],
    lacks: words('iptables jq nft swanctl wg'),
  },
};

/** What Python's own library has of it, since 3.9. */
const PYTHON_LIBRARY = words(`
  abc argparse base64 binascii collections contextlib dataclasses datetime enum errno functools hashlib heapq hmac html http io ipaddress
  itertools json math operator os pathlib pwd queue random re resource secrets select selectors shutil signal socket socketserver ssl stat string struct
  sys tempfile textwrap threading time traceback types typing urllib
`);

/** Debian 13: the packages of the Containerfile. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'strongswan-charon': ['/usr/lib/ipsec/charon'],
  'strongswan-swanctl': ['swanctl'],
  'libstrongswan-extra-plugins': [],
  iproute2: ['ip'],
};

/** Images that have no default: the user names one. */
const WITHOUT_DEFAULT = ['userspace'];

/** The files of ConfigMaps that a container sees, by path. */
type Scripts = Readonly<Record<string, string>>;

/** Functions of the scripts that run the command behind so many of their words. */
const WRAPPERS: Readonly<Record<string, Wrappers>> = {
  'filter.sh': { try: 1 },
  'network.sh': { try: 1 },
  'server.sh': { try: 1, busy: 0, attempt: 0 },
};

/** What users run in a container by hand, as the documentation and the notes say. */
const BY_HAND: Readonly<Record<string, readonly string[]>> = {
  wireguard: ['sh', '/scripts/showconf.sh'],
  network: ['curl'],
  filter: ['curl'],
  charon: ['swanctl'],
};

interface Probe {
  readonly exec?: { readonly command: readonly string[] };
}

interface Container {
  readonly name: string;
  readonly lifecycle?: { readonly preStop?: Probe };
  readonly image: string;
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Volume {
  readonly name: string;
  readonly configMap?: {
    readonly name: string;
    readonly items?: readonly { readonly key: string; readonly path: string }[];
  };
}

interface Pod {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
}

/** The default image with the repository of a reference, which may name another registry and another version. */
function defaultImage(reference: string): string | undefined {
  const repository = (image: string): string => image.replace(/@.*$|:[^/]*$/, '').replace(/^[^/]*\//, '');
  return Object.keys(IMAGES).find((image) => repository(image) === repository(reference));
}

/** The modules that a Python program and its own modules import, and the programs that it starts. */
function pythonNeeds(scripts: Scripts, main: string): string[] {
  const folder = path.dirname(main);
  const files = new Set([main]);
  const needed: string[] = [];
  // A set goes on to what is added on the way.
  for (const file of files) {
    const text = scripts[file]!;
    for (const [, module] of text.matchAll(/^ *(?:import|from) (\w+)/gm)) {
      const own = path.join(folder, `${module!}.py`);
      if (own in scripts) files.add(own);
      else needed.push(`module ${module!}`);
    }
    for (const [call] of text.matchAll(/\bos\.(?:system|popen|exec\w+|spawn\w+|posix_spawn\w*)\b/g)) needed.push(call);
    for (const [, program] of text.matchAll(
      /(?:(?<![\w.])ask\(|\bkernel\.ask\(|\bcommand = \[|\bprogram=)'([\w/-]+)'/g,
    ))
      needed.push(program!);
  }
  return needed;
}

/** What a script needs, with the scripts that it runs. */
function scriptNeeds(scripts: Scripts, file: string): string[] {
  const { called, scripts: others } = shellCommands(scripts[file]!, WRAPPERS[path.basename(file)]);
  return [...called, ...others.flatMap((other) => scriptNeeds(scripts, path.join(path.dirname(file), other)))];
}

/** What a command line needs. */
function lineNeeds(scripts: Scripts, [program = '', ...rest]: readonly string[]): string[] {
  const name = program.startsWith('/bin/') ? program.slice('/bin/'.length) : program;
  const file = rest.find((word) => word in scripts);
  if (name === 'python3') return [name, ...pythonNeeds(scripts, file!)];
  if (name !== 'sh') return [name];
  return [name, ...(rest[0] === '-c' ? shellCommands(rest[1]!).called : scriptNeeds(scripts, file!))];
}

/** All that a container needs of its image, sorted. */
function needs({ container, volumes, scripts }: Omit<Found, 'chart'>, contents: Contents): string[] {
  const { command = [contents.entrypoint ?? ''], env = [], volumeMounts = [] } = container;
  const probes = [
    container.livenessProbe,
    container.readinessProbe,
    container.startupProbe,
    container.lifecycle?.preStop,
  ];
  const lines = [command, BY_HAND[container.name] ?? [], ...probes.map((probe) => probe?.exec?.command ?? [])];
  // Programs that a server of the container runs are mounted one by one.
  const mounted = volumeMounts.flatMap(({ name, mountPath }) =>
    (volumes.find((volume) => volume.name === name)?.configMap?.items ?? [])
      .filter(({ key }) => key.endsWith('.sh'))
      .map(({ path: place }) => path.join(mountPath, place)),
  );
  const all = [
    ...lines.filter((line) => line.length > 0).flatMap((line) => lineNeeds(scripts, line)),
    ...mounted.flatMap((file) => ['sh', ...scriptNeeds(scripts, file)]),
  ];
  const meant = (need: string): string =>
    need.startsWith('$') ? (env.find(({ name }) => name === need.slice(1))?.value ?? need) : need;
  return [...new Set(all.map(meant))].sort();
}

/** What of it the image does not have. */
const lacking = (needed: readonly string[], { commands }: Pick<Contents, 'commands'>): string[] =>
  needed.filter((need) => !commands.includes(need) && !PYTHON_LIBRARY.some((module) => need === `module ${module}`));

interface Found {
  readonly chart: string;
  readonly container: Container;
  readonly volumes: readonly Volume[];
  readonly scripts: Scripts;
}

/** The files of ConfigMaps in a container. */
function mountedScripts(
  { volumeMounts = [] }: Container,
  volumes: readonly Volume[],
  objects: readonly KubernetesObject[],
): Scripts {
  return Object.fromEntries(
    volumeMounts.flatMap(({ name, mountPath }) => {
      const source = volumes.find((volume) => volume.name === name)?.configMap;
      const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === source?.name);
      const data = (map?.['data'] ?? {}) as unknown as Readonly<Record<string, string>>;
      const items = source?.items ?? Object.keys(data).map((key) => ({ key, path: key }));
      return items.map(({ key, path: place }): [string, string] => [path.join(mountPath, place), data[key] ?? '']);
    }),
  );
}

/** The containers of all examples. */
function exampleContainers(name: string, chart: HelmChart): Found[] {
  return examplesOf(name).flatMap((file) => {
    const objects = chart.objects({ values: loadValues({ files: [file] }).values });
    return objects
      .filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
      .flatMap((object) => {
        const { spec } = (object['spec'] as unknown as { template: { spec: Pod } }).template;
        const { initContainers = [], containers, volumes = [] } = spec;
        return [...initContainers, ...containers].map((container) => ({
          chart: name,
          container,
          volumes,
          scripts: mountedScripts(container, volumes, objects),
        }));
      });
  });
}

/** The containers of the pods of `helm test`, which are in the printed chart only. */
function testContainers(name: string, chart: HelmChart): Found[] {
  const files = chart.files();
  const values = parse(files.find((file) => file.name === 'values.yaml')!.text) as Record<string, unknown>;
  return files
    .filter((file) => file.name.startsWith('templates/tests/'))
    .map(({ name: file, text }) => {
      const [, key, program] = /image: \{\{ include "\w+\.(\w+)Image" [\s\S]*?command:\n +- (\S+)/.exec(text) ?? [];
      const { image } = (key === undefined ? {} : values[key]) as { image?: Record<string, string> };
      if (image === undefined || program === undefined) throw new Error(`no container is found in ${file}`);
      const reference = `${image['registry']!}/${image['repository']!}:${image['tag']!}`;
      return {
        chart: name,
        container: { name: 'test', image: reference, command: [program] },
        volumes: [],
        scripts: {},
      };
    });
}

const charts = Object.entries(CHARTS as unknown as Readonly<Record<string, HelmChart>>);
const found = charts
  .flatMap(([name, chart]) => [...exampleContainers(name, chart), ...testContainers(name, chart)])
  .filter(({ container }) => !WITHOUT_DEFAULT.includes(container.name));
const titleOf = ({ chart, container }: Found): string => `${chart}, ${container.name}`;
const titles = [...new Set(found.map(titleOf))];

describe('the image of', () => {
  test.each(titles)('%s has what it calls', (title) => {
    for (const one of found.filter((each) => titleOf(each) === title)) {
      const image = defaultImage(one.container.image);
      expect([one.container.image, image]).toEqual([one.container.image, expect.any(String)]);
      const needed = needs(one, IMAGES[image!]!);
      expect(needed).not.toEqual([]);
      expect(lacking(needed, IMAGES[image!]!)).toEqual([]);
    }
  });

  test('all containers is in the table, in the version of the default', () => {
    expect([...new Set(found.map(({ container }) => container.image))].sort()).toEqual(
      expect.arrayContaining(Object.keys(IMAGES).sort()),
    );
  });

  test.each(Object.entries(IMAGES))('%s has nothing that its source lacks', (_image, { commands, lacks }) => {
    expect(commands.filter((command) => lacks.includes(command))).toEqual([]);
  });

  test('strongSwan that docs/ipsec/Containerfile makes has what charon calls', () => {
    const text = fs.readFileSync(path.join(__dirname, '../docs/ipsec/Containerfile'), 'utf8').replaceAll(/\\\n/g, ' ');
    const packages = words(/apt-get install -y --no-install-recommends([^&]*)/.exec(text)![1]!);
    expect(packages.filter((name) => !(name in PACKAGES))).toEqual([]);
    const [, charonPath] = /^CMD \["(.*)"\]$/m.exec(text)!;
    const commands = [...ESSENTIAL, ...packages.flatMap((name) => PACKAGES[name]!)];
    const charon = found.find((one) => titleOf(one) === 'ipsec, charon')!;
    const container = { ...charon.container, env: [{ name: 'CHARON', value: charonPath! }] };
    const needed = needs({ ...charon, container }, { source: '', commands, lacks: [] });
    expect(needed).toEqual(expect.arrayContaining(['swanctl', '/usr/lib/ipsec/charon', 'sh']));
    expect(lacking(needed, { commands })).toEqual([]);
  });

  test.each([
    ['charon', '/scripts/charon.sh', 'nft list ruleset', 'nft'],
    ['network', '/scripts/network.sh', 'try "ask" python3 -c pass', 'python3'],
    ['control', '/scripts/files.py', 'import yaml', 'module yaml'],
    ['control', '/scripts/files.py', 'import requests', 'module requests'],
    ['frr', '/frr-scripts/kernel.py', "ask('nft', 'list')", 'nft'],
    ['frr', '/scripts/names.py', "command = ['dig', name]", 'dig'],
    ['filter', '/scripts/filter.sh', 'python3 -c pass', 'python3'],
    ['control', '/scripts/vici.py', 'os.system("ip link")', 'os.system'],
    ['wireguard', '/scripts/peers-from.sh', 'x=$(httpd -h)', 'httpd'],
    ['health', '/www/cgi-bin/ready', 'jq . </dev/null', 'jq'],
  ])('%s lacks what a further line of %s would call: %s', (name, file, line, lacks) => {
    const one = found.find(({ container, scripts }) => container.name === name && file in scripts)!;
    const contents = IMAGES[defaultImage(one.container.image)!]!;
    const scripts = { ...one.scripts, [file]: `${one.scripts[file]!}\n${line}\n` };
    expect(lacking(needs({ ...one, scripts }, contents), contents)).toEqual([lacks]);
  });
});

describe('the commands of a script', () => {
  const called = (script: string, wrappers?: Wrappers): readonly string[] => shellCommands(script, wrappers).called;

  test.each([
    ['a; b && c || d | e & f', 'a b c d e f'],
    ['x=1 a y=2; z=3', 'a'],
    ['if a; then b; elif ! c; then d; else e; fi', 'a b c d e'],
    ['while a; do b; done <f >"$(c)"', 'a b c'],
    ['for a in b c; do d "$a"; done', 'd'],
    ['case $(a) in b | c) d ;; "$e") f;; *) g ;; esac; h', 'a d f g h'],
    ['case $a in b) case $c in d) e ;; esac ;; f) g ;; esac', 'e g'],
    ['f() { a; }\nf b\ng() (c)\ng', 'a c'],
    ['{ a; } 2>/dev/null || (b)', 'a b'],
    ['a \'b; c\' "d; $(e "$(f)") g" # h', 'a e f'],
    ['x=$((1 + $(a) * (2 + 3))) b $((c / d))', 'a b'],
    ['a="${b:-$c}" "$d" "${e%/*}/f"', '$d'],
    ['a \\\n b', 'a'],
    ["trap 'a; exit 0' TERM; trap - EXIT", 'a'],
    ['exec a b; command -v c; find . -exec d {} +', 'a c d find'],
    ['echo a; printf b; [ -e c ]; cd d', ''],
    ['a >b 2>&1 <c 3>>d', 'a'],
  ])('%j: %s', (script, expected) => {
    expect(called(script).join(' ')).toBe(expected);
  });

  test('are also those behind a function that runs its words, which must be known', () => {
    const script = 'try() { shift; "$@"; }\ntry what a b';
    expect(called(script, { try: 1 })).toEqual(['a']);
    expect(() => called(script)).toThrow('a function runs its arguments');
    expect(() => called('a', { try: 1 })).toThrow('try is no function');
  });

  test('name the scripts that it runs', () => {
    expect(shellCommands('sh "${0%/*}/other.sh" a')).toEqual({ called: ['sh'], scripts: ['other.sh'] });
  });

  test('are not guessed: a here-document is refused', () => {
    expect(() => called('a <<END\nb\nEND')).toThrow('here-document');
  });
});
