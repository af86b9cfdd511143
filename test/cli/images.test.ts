import { imagesOf } from '../../lib/cli/images';
import { CommandLine } from './command-line';

let cli: CommandLine;
beforeAll(() => {
  cli = new CommandLine();
});
afterAll(() => cli.remove());

test('every container of every pod is found, wherever it stands, and each image named once', () => {
  const pod = (image: string) => ({
    spec: { containers: [{ name: 'a', image }], initContainers: [{ image: `${image}-init` }] },
  });
  const objects = [
    { kind: 'Pod', ...pod('b:1') },
    { kind: 'Deployment', spec: { template: pod('a:2') } },
    { kind: 'CronJob', spec: { jobTemplate: { spec: { template: pod('b:1') } } } },
    { kind: 'List', items: [{ kind: 'Pod', spec: { ephemeralContainers: [{ image: 'c' }] } }] },
  ];
  expect(imagesOf(objects)).toEqual(['a:2', 'a:2-init', 'b:1', 'b:1-init', 'c']);
});

test('what only looks like a container is none', () => {
  const objects = [
    { kind: 'ConfigMap', data: { containers: 'image: x', image: 'x' } },
    { kind: 'Custom', spec: { image: 'x', containers: { image: 'x' }, initContainers: [null, 'x', {}, { image: 1 }] } },
  ];
  expect(imagesOf(objects)).toEqual([]);
});

test('images prints those of the chart, and what the values add', () => {
  const site = `
dns: {mode: coredns}
userspace: {image: {repository: masipcat/wireguard-go, tag: 0.0.20230223}}
health: {image: {registry: mirror.example.com, tag: 1.36.1}}
extraContainers: [{name: proxy, image: 'docker.io/library/haproxy:3'}]
extraObjects:
  - {apiVersion: v1, kind: Pod, metadata: {name: debug}, spec: {containers: [{name: a, image: 'debian:13'}]}}
`;
  const run = (input: string) => cli.run(['images', 'wireguard', '-f', '-'], { input });
  expect(run('')).toEqual({
    code: 0,
    out: 'docker.io/library/busybox:1.37.0\nlscr.io/linuxserver/wireguard:1.0.20250521-r1-ls110\n',
    err: '',
  });
  expect(run(site)).toEqual({
    code: 0,
    out: `debian:13
docker.io/coredns/coredns:1.12.4
docker.io/library/haproxy:3
docker.io/masipcat/wireguard-go:0.0.20230223
lscr.io/linuxserver/wireguard:1.0.20250521-r1-ls110
mirror.example.com/library/busybox:1.36.1
`,
    err: '',
  });
  expect(run('listenPort: 0')).toMatchObject({ code: 1, out: '' });
});
