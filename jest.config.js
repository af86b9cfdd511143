/** @type {import('jest').Config} */
module.exports = {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/dist/'],
  // Types are tsc's task (a step of its own in test/run.ts), so each file is only translated here.
  transform: {
    '\\.ts$': [
      'ts-jest',
      { tsconfig: { target: 'es2022', module: 'commonjs', isolatedModules: true, sourceMap: true } },
    ],
  },
  setupFilesAfterEnv: ['<rootDir>/test/setup.ts'],
  maxWorkers: 2,
  // Real tools on a busy machine of two cores take their time.
  testTimeout: 60_000,
  restoreMocks: true,
};
