/** A test that writes to the console fails: output that nobody reads hides the one that matters. */
const METHODS = ['debug', 'error', 'info', 'log', 'table', 'trace', 'warn'] as const;

let written: Error[] = [];

for (const method of METHODS) {
  // eslint-disable-next-line no-console -- to notice who else uses it
  console[method] = (...data: unknown[]): void => {
    const error = new Error(`written to the console: console.${method}(${data.map(String).join(', ')})`);
    written.push(error);
    throw error;
  };
}

// For whoever catches that error.
function assertSilent(): void {
  const [first] = written;
  written = [];
  if (first !== undefined) throw first;
}

afterEach(assertSilent);
afterAll(assertSilent);
