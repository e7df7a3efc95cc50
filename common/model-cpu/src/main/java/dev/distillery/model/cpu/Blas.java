package dev.distillery.model.cpu;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas;

/**
 * Single-threaded sgemm of OpenBLAS through JavaCPP, on addresses. Threads are ours: OpenBLAS gives
 * the same bits for a whole product and for its rows cut at whole tiles; not for columns.
 */
final class Blas {
  private static final int ROW_MAJOR = 101;
  private static final int PLAIN = 111;
  private static final int TRANSPOSED = 112;

  static {
    openblas.blas_set_num_threads(1);
  }

  private static final ThreadLocal<Address[]> ADDRESSES =
      ThreadLocal.withInitial(() -> new Address[] {new Address(), new Address(), new Address()});

  private Blas() {}

  /** A pointer that can be moved without allocating. */
  private static final class Address extends FloatPointer {
    Address() {
      super((Pointer) null);
    }

    Address at(long value) {
      address = value;
      return this;
    }
  }

  /** c [m, n] = alpha op(a) op(b) + beta c; addresses and row strides of row-major matrices. */
  static void sgemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      long a,
      int strideA,
      long b,
      int strideB,
      float beta,
      long c,
      int strideC) {
    Address[] pointers = ADDRESSES.get();
    openblas.cblas_sgemm(
        ROW_MAJOR,
        transposeA ? TRANSPOSED : PLAIN,
        transposeB ? TRANSPOSED : PLAIN,
        m,
        n,
        k,
        alpha,
        pointers[0].at(a),
        strideA,
        pointers[1].at(b),
        strideB,
        beta,
        pointers[2].at(c),
        strideC);
  }

  /** Measured speed of one thread in GFLOP/s: the best of a few products of 384 cubed. */
  static double measure() {
    int n = 384;
    try (CpuMemory memory = new CpuMemory(3L * n * n)) {
      var tensor = new dev.distillery.model.nn.Tensor(memory, 0, 3 * n, n);
      long base = CpuMemory.address(tensor);
      long step = (long) n * n * Float.BYTES;
      long best = Long.MAX_VALUE;
      for (int i = 0; i < 8; i++) {
        long begin = System.nanoTime();
        sgemm(false, true, n, n, n, 1, base, n, base + step, n, 0, base + 2 * step, n);
        best = Math.min(best, System.nanoTime() - begin);
      }
      return 2.0 * n * n * n / best;
    }
  }
}
