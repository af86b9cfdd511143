import { ipsec } from './ipsec';
import { wireguard } from './wireguard';

/** The charts of this package by name. */
export const CHARTS = { wireguard, ipsec };
