package dev.distillery.core.run;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks an option, or a whole group of them, that has an effect only beside another: {@code
 * OnlyWith(option = "--source", is = "stackexchange")}. Where it has none, a value other than the
 * default is refused.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface OnlyWith {
  /** The other option, with its dashes. */
  String option();

  /** The other's values beside which this has an effect; none is any but its default. */
  String[] is() default {};
}
