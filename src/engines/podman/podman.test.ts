/** The Podman driver on the real Podman of this host. */
import { engineContract } from '../engine.contract.ts';
import { openPodmanGround } from './fixture.ts';

engineContract('podman', () => openPodmanGround());
