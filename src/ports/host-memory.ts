/** What the host says about its memory, so that sleepers give way before anybody else has to. */
export interface HostMemory {
  observe(): Promise<HostMemoryView>;
}

export interface HostMemoryView {
  /** Memory that can be had without swapping, in bytes. */
  readonly availableBytes: number;
  /** There is swap with room, so that pages of frozen instances can be given up. */
  readonly hasSwap: boolean;
}
