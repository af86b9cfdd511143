import { App } from 'cdk8s';
import { CHARTS } from './charts';
import { chartNamed, examplesOf } from './lib/cli/commands';
import { reported } from './lib/cli/report';
import { withPlaces } from './lib/cli/with-places';
import { objectsOf } from './lib/helm/chart';
import { writeFiles } from './lib/helm/folder';
import { loadValues } from './lib/helm/load-values';
import { manifestFiles } from './lib/helm/manifests';

/*
 * `npx cdk8s synth`: the plain manifests of one chart, as in any cdk8s project.
 *
 * VPN_CHART   the chart; default: the first one
 * VPN_VALUES  values files, separated by `:`; default: the chart's first example; empty: none
 */
reported(() => {
  const chart = chartNamed(process.env['VPN_CHART'] ?? Object.keys(CHARTS)[0] ?? '');
  const given = process.env['VPN_VALUES']?.split(':').filter((file) => file !== '');
  const loaded = loadValues({ files: given ?? examplesOf(chart.name).slice(0, 1) });
  const app = new App();
  const plain = withPlaces(loaded, () => chart.plain(app, chart.name, { values: loaded.values }));
  writeFiles(app.outdir, manifestFiles(objectsOf(plain)));
});
