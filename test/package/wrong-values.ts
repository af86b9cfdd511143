/* Gives the problems of literal props, a JSON list of them on standard input, as the constructor throws them. */
import { readFileSync } from 'node:fs';
import { App, Chart } from 'cdk8s';
import { InputError, WireGuardServer, type WireGuardServerProps } from 'cdk8s-vpn';

const all = JSON.parse(readFileSync(0, 'utf8')) as WireGuardServerProps[];
const thrown = all.map((props) => {
  try {
    new WireGuardServer(new Chart(new App(), 'vpn'), 'Wireguard', props);
    return [];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems;
  }
});
process.stdout.write(JSON.stringify(thrown));
