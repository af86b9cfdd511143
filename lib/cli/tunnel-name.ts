import { basename } from 'node:path';
import { INTERFACE_NAME_PATTERN } from '../net/name';
import { tell } from './report';

/** Says so if the name of a client's file is none that wg-quick(8) and the apps take as the name of a tunnel. */
export function tellTunnelName(file: string): void {
  const name = basename(file, '.conf');
  if (INTERFACE_NAME_PATTERN.test(name)) return;
  tell(
    `${file}: wg-quick and the Android app take the tunnel's name from the file's, and not this one; ` +
      'rename it to at most 15 letters, digits and _=+.-, before .conf',
  );
}
