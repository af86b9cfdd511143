import { ipsec } from './ipsec';
import { kilo } from './kilo';
import { vpn } from './vpn';
import { wireguard } from './wireguard';

/** The charts of this package by name. */
export const CHARTS = { wireguard, ipsec, kilo, vpn };
