package dev.distillery.model.format;

import java.util.List;
import java.util.Locale;

/**
 * A machine that models are trained on, by its vendor's figures.
 *
 * @param name how it is called
 * @param devices processors in it
 * @param teraflops dense peak of one device, 10^12 operations a second, at the precision that
 *     training uses there
 * @param gibibytes memory of one device
 * @param dollarsPerHour what the whole costs to rent
 * @param utilisation share of the peak that decoders' training reaches there, in (0, 1]
 */
public record Hardware(
    String name,
    int devices,
    double teraflops,
    double gibibytes,
    double dollarsPerHour,
    double utilisation) {

  /**
   * Known machines. Peaks: NVIDIA's data sheets, dense bfloat16. Prices: what renting cost when the
   * published runs were made; 4 dollars an hour for an A100 is a large cloud's list price of 2023,
   * 3.50 for an H100 is llm.c's 672 dollars for 24 hours of eight. Utilisation: 0.4 is what
   * well-made training reaches on A100s, 0.5 what llm.c reports on H100s. {@code cpu-2core} is two
   * AVX-512 cores in float32, by OpenBLAS as measured for this project.
   */
  private static final List<Hardware> KNOWN =
      List.of(
          new Hardware("8xa100-80gb", 8, 312, 80, 32, 0.4),
          new Hardware("1xa100-80gb", 1, 312, 80, 4, 0.4),
          new Hardware("8xh100-80gb", 8, 989, 80, 28, 0.5),
          new Hardware("1xa6000-48gb", 1, 155, 48, 0.8, 0.4),
          new Hardware("cpu-2core", 1, 0.25, 16, 0.1, 0.6));

  /**
   * The machine of this name.
   *
   * @throws IllegalArgumentException if there is none, naming those there are
   */
  public static Hardware named(String name) {
    return KNOWN.stream()
        .filter(h -> h.name().equals(name.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "No hardware is called "
                        + name
                        + "; there are "
                        + String.join(", ", KNOWN.stream().map(Hardware::name).toList())));
  }

  /** All of them. */
  public static List<Hardware> known() {
    return KNOWN;
  }

  /** Operations a second that training gets from the whole machine. */
  public double flops() {
    return devices * teraflops * 1e12 * utilisation;
  }
}
