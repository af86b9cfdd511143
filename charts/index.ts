import { wireguard } from './wireguard';

/** The charts of this package by name. */
export const CHARTS = { wireguard };
