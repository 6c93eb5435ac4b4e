import { describeTunnels } from './tunnel-suite.ts';

describeTunnels({ name: 'net', listener: (settings) => settings });
