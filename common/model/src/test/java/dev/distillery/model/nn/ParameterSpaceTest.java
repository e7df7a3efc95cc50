package dev.distillery.model.nn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

class ParameterSpaceTest {
  private static float[] all(ParameterSpace space) {
    float[] values = new float[(int) space.size()];
    space.read(0, values, values.length);
    return values;
  }

  /** Slots of 2, 3, 4 and 5 values in segments of 6 at most: one segment is of both parts. */
  @Test
  void aViewIsItsPartOfTheSameValuesWhereverSegmentsEnd() {
    List<Slot> slots =
        List.of(
            Slot.single("a", 1, 2),
            Slot.single("b.c", 1, 3),
            Slot.single("b.b.d", 2, 2),
            Slot.single("b.b.e", 1, 5));
    try (Kernels kernels = new PortableKernels(DataType.FLOAT);
        ParameterSpace whole = new ParameterSpace(kernels, slots, 6)) {
      whole.write(0, new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, 14);
      ParameterSpace second = whole.within("b.");
      assertThat(all(whole.without("b."))).containsExactly(0, 1);
      assertThat(all(second)).containsExactly(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
      assertThat(second.segments()).hasSize(3);
      assertThat(all(second.without("b."))).containsExactly(2, 3, 4);
      ParameterSpace last = second.within("b.");
      assertThat(last.slots()).extracting(Slot::name).containsExactly("d", "e");
      last.write(3, new float[] {-1, -2}, 2);
      second.close();
      assertThat(whole.slot("b.b.d").orElseThrow().toArray()).containsExactly(5, 6, 7, -1);
      assertThat(whole.slot("b.b.e").orElseThrow().toArray()).containsExactly(-2, 10, 11, 12, 13);
    }
  }
}
