; @name is called bare; @object.@method through a name; @method alone through any expression.
(call function: (identifier) @name)
(call function: (attribute object: (identifier) @object attribute: (identifier) @method))
(class_definition name: (identifier) superclasses: (argument_list (identifier) @base))
