// Loaded into the CDK command line by rehearsal/cdk.py. It asks CloudFormation every 5 seconds for a stack and every 2
// for its events, which spares AWS; the embedded account stands on this machine and is asked four times a second.
const pauses = new Set([5000, 2000]);
const real = globalThis.setTimeout;
globalThis.setTimeout = Object.assign(
  (callback, pause, ...rest) => real(callback, pauses.has(pause) ? 250 : pause, ...rest),
  real,
);
