import packageJson from '../package.json';

/** The version of the package, which all its charts have. */
export const VERSION = packageJson.version;
