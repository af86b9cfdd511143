import { LabError } from '../processes';
import { same, type Context, type Scenario } from '../scenario';
import { WireGuard } from '../wireguard';

const NODE_PORT = 31830;
const RELEASE = 'home';

export const scenario: Scenario = {
  title: 'Keys that the pod makes work as the notes say, stay secret, and survive the pod and the release',
  run: async (context) => {
    const { lab } = context;
    const [node] = lab.machines;
    const values = {
      endpoint: `${node.address}:${NODE_PORT}`,
      service: { type: 'NodePort', nodePort: NODE_PORT },
      privateKey: { generate: true },
      persistence: { storageClassName: context.namespace },
      client: { allowedIPs: ['10.13.13.0/24'] },
      peers: { phone: { generate: true, addresses: ['10.13.13.2'] } },
    };
    /** A command that the notes print, as they print it. */
    const noted = async (beginning: string): Promise<string> => {
      const notes = await lab.helm(['get', 'notes', RELEASE, '-n', context.namespace]);
      const line = notes.split('\n').find((text) => text.includes(beginning));
      if (line === undefined) throw new LabError(`the notes have no line with ${beginning}`);
      return lab.kubectl(line.trim().split(' ').slice(1));
    };
    const publicKey = async (): Promise<string> => (await noted('wg show wg0 public-key')).trim();

    await context.prepare('a volume', async () => {
      await lab.kubectl(['delete', 'persistentvolume', context.namespace, '--ignore-not-found', '--timeout=60s']);
      await lab.on(node, `rm -rf /var/lib/${context.namespace}`);
      await lab.apply(volume(context, node.name));
    });
    const vpn = await context.prepare('helm install --wait', () => WireGuard.installed(context, RELEASE, values));
    const [conf = ''] = await context.prepare('the file, by the command of the notes', async () => [
      await noted('showconf.sh phone'),
    ]);
    const key = await publicKey();
    const client = await context.client('phone');
    /** A client that lost its session shakes hands again after 15 s without an answer. */
    const pinged = async (): Promise<void> => void (await client.run('ping -n -q -c 1 -w 40 10.13.13.1'));
    await context.check('a client with that file reaches the server', async () => {
      await client.connect(conf);
      return client.ping('10.13.13.1');
    });
    await context.check('the QR code, by the same command', async () => {
      const code = await vpn.exec('sh /scripts/showconf.sh phone --qr');
      if (!/[▀▄█]/.test(code)) throw new LabError(`no QR code: ${code.slice(0, 200)}`);
    });
    await context.check('no key is in a log, an event, or an object', async () => {
      const log = await context.kubectl('logs', `deploy/${vpn.name}`, '--all-containers');
      if (!log.includes('WARNING: the volume')) throw new LabError('the log does not tell of the empty volume');
      const kinds = 'all,configmaps,secrets,events,persistentvolumeclaims';
      const objects = await lab.kubectl(['get', kinds, '--all-namespaces', '-o', 'yaml']);
      if (!objects.includes(vpn.name)) throw new LabError('the search would find nothing');
      const own = (await vpn.exec('wg show wg0 private-key')).trim();
      const secrets = [...conf.matchAll(/^(?:PrivateKey|PresharedKey) = (.*)$/gm)].map(([, secret = '']) => secret);
      for (const secret of [own, ...secrets])
        if (secret === '' || (log + objects).includes(secret)) throw new LabError('the log or an object holds a key');
    });
    await context.check('the keys survive the pod', async () => {
      await context.kubectl('delete', 'pod', '-l', vpn.selector, '--wait');
      await vpn.ready();
      same('the public key', await publicKey(), key);
      return pinged();
    });
    await context.check('helm uninstall leaves the claim, and nothing else', async () => {
      await vpn.uninstall();
      const kinds = 'all,configmaps,secrets,persistentvolumeclaims,networkpolicies,serviceaccounts';
      const left = (await context.kubectl('get', kinds, '-l', vpn.selector, '-o', 'name')).trim();
      same('what is left', left, `persistentvolumeclaim/${vpn.name}-generated-keys`);
    });
    await context.check('the keys survive the release: the old file works with the next one', async () => {
      await vpn.install();
      same('the public key', await publicKey(), key);
      return pinged();
    });
    await client.disconnect();
    await vpn.uninstall();
    await context.kubectl('delete', 'persistentvolumeclaim', '--all', '--timeout=60s');
    await lab.kubectl(['delete', 'persistentvolume', context.namespace, '--timeout=60s']);
  },
};

/** A folder of a node: there is nobody in the cluster who makes volumes. */
function volume({ namespace }: Context, node: string): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: namespace },
    spec: {
      storageClassName: namespace,
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '64Mi' },
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: `/var/lib/${namespace}`, type: 'DirectoryOrCreate' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
          ],
        },
      },
    },
  };
}
