package dev.distillery.core.run;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Generates named setters for a record of options, while it is compiled: {@code XOptionsBuilder}.
 * The record's own {@code builder()} gives them over {@link OptionsBinder#defaults}, so that a
 * default stands once. Nothing of it is needed at run time.
 */
@RecordBuilder.Template(
    options =
        @RecordBuilder.Options(
            enableWither = false,
            enableGetters = false,
            addStaticBuilder = false,
            inheritComponentAnnotations = false,
            addConcreteSettersForOptional = true))
@Retention(RetentionPolicy.SOURCE)
@Target(ElementType.TYPE)
public @interface WithBuilder {}
