/** Container images as OCI archives: one layer, not compressed, which is quick to make and to import. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from './processes';

/** Writes the archive of an image whose files are in a folder. */
export async function writeImage(
  content: string,
  archive: string,
  reference: string,
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  const layout = `${archive}.layout`;
  const blobs = path.join(layout, 'blobs/sha256');
  fs.mkdirSync(blobs, { recursive: true });
  const layer = path.join(layout, 'layer');
  const empty = ['dev', 'proc', 'sys'].map((folder) => `--exclude=./${folder}/*`);
  await run('tar', [
    ...['--create', '--file', layer, '--directory', content, '--numeric-owner', '--sort=name', '--mtime=@0'],
    ...['--xattrs', '--xattrs-include=*', ...empty, '.'],
  ]);
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(layer), hash);
  const digest = hash.digest('hex');
  const size = fs.statSync(layer).size;
  fs.renameSync(layer, path.join(blobs, digest));

  const put = (value: unknown): { digest: string; size: number } => {
    const text = JSON.stringify(value);
    const name = createHash('sha256').update(text).digest('hex');
    fs.writeFileSync(path.join(blobs, name), text);
    return { digest: `sha256:${name}`, size: Buffer.byteLength(text) };
  };
  const index = imageOf(reference, config, { digest: `sha256:${digest}`, size }, put);
  fs.writeFileSync(path.join(layout, 'index.json'), JSON.stringify(index));
  fs.writeFileSync(path.join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await run('tar', ['--create', '--file', archive, '--directory', layout, 'oci-layout', 'index.json', 'blobs']);
  fs.rmSync(layout, { recursive: true });
}

/** The index of an archive (OCI image layout), after its other documents have been put. */
function imageOf(
  reference: string,
  config: Readonly<Record<string, unknown>>,
  layer: { readonly digest: string; readonly size: number },
  put: (value: unknown) => { digest: string; size: number },
) {
  const platform = { architecture: 'amd64', os: 'linux' };
  const configuration = put({
    ...platform,
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], ...config },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const manifest = put({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...configuration },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
  });
  return {
    schemaVersion: 2,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        ...manifest,
        platform,
        annotations: {
          'io.containerd.image.name': reference,
          'org.opencontainers.image.ref.name': reference.replace(/^.*:/, ''),
        },
      },
    ],
  };
}
