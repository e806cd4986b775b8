; @name is called bare; @object.@method through a name; @method alone through any expression.
(call function: (identifier) @name)
(call function: (attribute attribute: (identifier) @method))
(call function: (attribute object: (identifier) @object))
(class_definition name: (identifier) superclasses: (argument_list (identifier) @base))

; @bound is a variable: it hides a definition of its name in a scope further out.
(assignment left: (identifier) @bound)
(augmented_assignment left: (identifier) @bound)
(for_statement left: (identifier) @bound)
(pattern_list (identifier) @bound)
(tuple_pattern (identifier) @bound)
(list_pattern (identifier) @bound)
(list_splat_pattern (identifier) @bound)
(as_pattern_target [(identifier) @bound
                    (tuple (identifier) @bound)
                    (list (identifier) @bound)])
(named_expression name: (identifier) @bound)
(aliased_import alias: (identifier) @bound)
(import_from_statement name: (dotted_name (identifier) @bound))
(import_statement name: (dotted_name . (identifier) @bound))
