import type { KubernetesObject } from '../staged/resource';
import { GENERATED } from './chart-yaml';
import { toYaml } from './yaml';

/** A manifest in a file of its own. */
export interface ManifestFile {
  readonly name: string;
  readonly text: string;
  /** It holds key material: only its owner may read it. */
  readonly secret: boolean;
}

const SECRET_NOTE = '# This object holds secret content: keep it out of version control.';

/** One file per object, with the names that cdk8s gives: `Deployment.vpn-wireguard.k8s.yaml`. */
export function manifestFiles(objects: readonly KubernetesObject[]): ManifestFile[] {
  return objects.map((object) => ({
    name: `${object.kind}.${object.metadata.name}.k8s.yaml`,
    text: `${GENERATED}; do not edit.\n${document(object)}`,
    secret: isSecret(object),
  }));
}

/** All objects in one stream, for `kubectl apply -f -`. */
export function manifestStream(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => `---\n${document(object)}`).join('');
}

function document(object: KubernetesObject): string {
  return `${isSecret(object) ? `${SECRET_NOTE}\n` : ''}${toYaml(object)}`;
}

function isSecret({ kind, data, stringData }: KubernetesObject): boolean {
  return kind === 'Secret' && (data !== undefined || stringData !== undefined);
}
