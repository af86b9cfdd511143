/* A plain cdk8s app with a WireGuard server: the first example of README.md. */
import { App, Chart } from 'cdk8s';
import { WireGuardServer } from 'cdk8s-vpn';

const app = new App();
new WireGuardServer(new Chart(app, 'vpn'), 'Home', {
  peers: { alice: { publicKey: '2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q=', addresses: ['10.13.13.2'] } },
});
app.synth();
