package dev.distillery.core.run;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What an option's value may be, beside its name: {@code @Bounds(atLeast = 1)}, {@code Bounds(above
 * = 0, atMost = 1)}, {@code @Bounds(oneOf = {"rouge", "unicode"})}. {@link OptionsBinder} checks
 * it, and help prints it. It holds for the value of an {@code Optional} where there is one, for
 * each of a {@code List}, and in seconds for a {@code Duration}.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Bounds {
  double atLeast() default Double.NEGATIVE_INFINITY;

  double above() default Double.NEGATIVE_INFINITY;

  double atMost() default Double.POSITIVE_INFINITY;

  double below() default Double.POSITIVE_INFINITY;

  /** The words or numbers that are allowed; none allows all. An enum needs none. */
  String[] oneOf() default {};

  /** What to do where a value is outside, as the end of a sentence; may be empty. */
  String advice() default "";
}
